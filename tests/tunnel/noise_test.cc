#include "tunnel/noise.h"

#include <gtest/gtest.h>

#include <string_view>

#include "tests/support/paper_peer.h"

namespace adit::tunnel {
namespace {

constexpr Time kStart{seconds(50)};

crypto::KeyBytes key_from_hex(std::string_view hex) {
  crypto::KeyBytes key;
  for (size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<uint8_t>(std::stoi(std::string(hex.substr(2 * i, 2)), nullptr, 16));
  }
  return key;
}

/// The points that X25519 maps to zero whatever the private key (RFC 7748 6.1).
const std::vector<crypto::KeyBytes>& low_order_points() {
  static const std::vector<crypto::KeyBytes> points = {
      key_from_hex("0000000000000000000000000000000000000000000000000000000000000000"),
      key_from_hex("0100000000000000000000000000000000000000000000000000000000000000"),
      key_from_hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
      key_from_hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
      key_from_hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      key_from_hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      key_from_hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
  };
  return points;
}

const InitiationMessage& as_initiation(const Message& message) {
  return message_in<InitiationMessage>(ConstBytes(message));
}
const ResponseMessage& as_response(const Message& message) { return message_in<ResponseMessage>(ConstBytes(message)); }

/// Our Handshake and, at the other end, the paper's words.
struct Noise : ::testing::TestWithParam<bool> {
  Drop consume(const Message& message, Time now = kStart) { return consume_by(ours, message, now); }
  Drop consume_by(Handshake& handshake, const Message& message, Time now) {
    const auto opened = open_initiation(us, as_initiation(message));
    return opened ? handshake.consume_initiation(us, *opened, as_initiation(message), now) : Drop::kForgedHandshake;
  }
  bool respond() { return ours.create_response(77, response) && paper.consume_response(bytes_of(response)); }
  bool initiate(uint32_t index = 99) {
    return ours.create_initiation(us, index, PaperPeer::timestamp(++time), initiation) &&
           paper.consume_initiation(bytes_of(initiation));
  }

  const PaperPeer::Key preshared = GetParam() ? crypto::generate_preshared_key().bytes() : PaperPeer::Key{};
  Identity us{crypto::generate_private_key()};
  PaperPeer paper{us.public_key, preshared};
  Handshake ours{paper.public_key()};
  InitiationMessage initiation;
  ResponseMessage response;
  uint64_t time = 1;

  void SetUp() override { ours.set_preshared_key(crypto::PresharedKey(preshared)); }
};
INSTANTIATE_TEST_SUITE_P(Psk, Noise, ::testing::Bool(),
                         [](const auto& mode) { return mode.param ? "With" : "Without"; });

TEST_P(Noise, AnInitiatorWrittenFromThePaperIsAnswered) {
  const Message message = paper.initiation();
  const auto opened = open_initiation(us, as_initiation(message));
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->remote_static, paper.public_key());
  ASSERT_EQ(consume(message), Drop::kNone);
  ASSERT_TRUE(respond());
  const Keypairs::Slot session = ours.begin_session(kStart);
  ASSERT_TRUE(session);
  EXPECT_FALSE(session->initiator);
  EXPECT_EQ(session->sending.bytes(), paper.receiving);
  EXPECT_EQ(session->receiving.bytes(), paper.sending);
  EXPECT_EQ(session->local_index, 77u);
  EXPECT_EQ(session->local_index, paper.remote_index);
  EXPECT_EQ(session->remote_index, paper.index);
  EXPECT_EQ(session->created, kStart);
}

TEST_P(Noise, AResponderWrittenFromThePaperIsUnderstood) {
  ASSERT_TRUE(initiate());
  EXPECT_EQ(paper.remote_time, PaperPeer::timestamp(time));
  EXPECT_EQ(paper.remote_index, 99u);
  const Message answer = paper.response();
  ASSERT_TRUE(ours.consume_response(us, as_response(answer)));
  const Keypairs::Slot session = ours.begin_session(kStart);
  ASSERT_TRUE(session);
  EXPECT_TRUE(session->initiator);
  EXPECT_EQ(session->sending.bytes(), paper.receiving);
  EXPECT_EQ(session->receiving.bytes(), paper.sending);
  EXPECT_EQ(session->local_index, 99u);
  EXPECT_EQ(session->remote_index, paper.index);
}

TEST_P(Noise, TheTypesAndReservedBytesAreThePapers) {
  ASSERT_TRUE(initiate());
  EXPECT_EQ(initiation.type, (WireU32{1, 0, 0, 0}));
  EXPECT_EQ(initiation.sender, (WireU32{99, 0, 0, 0}));
  ASSERT_EQ(consume(paper.initiation()), Drop::kNone);
  ASSERT_TRUE(respond());
  EXPECT_EQ(response.type, (WireU32{2, 0, 0, 0}));
}

TEST_P(Noise, AnotherPresharedKeyMakesNoSession) {
  paper.preshared[5] ^= 1;
  ASSERT_EQ(consume(paper.initiation()), Drop::kNone) << "the PSK comes in with the response";
  EXPECT_FALSE(respond());

  ASSERT_TRUE(initiate());
  const Message answer = paper.response();
  EXPECT_FALSE(ours.consume_response(us, as_response(answer)));
}

TEST_P(Noise, AnInitiationForAnotherResponderDoesNotOpen) {
  const Identity other{crypto::generate_private_key()};
  const Message message = paper.initiation();
  EXPECT_FALSE(open_initiation(other, as_initiation(message)));
}

TEST_P(Noise, AnInitiationOfAnotherPeerIsForgedHereWhateverItClaims) {
  const PaperPeer victim(us.public_key);
  Handshake victims(victim.public_key());
  paper.static_public = victim.static_public;  // claims to be the victim but lacks its private key
  EXPECT_EQ(consume_by(victims, paper.initiation(), kStart), Drop::kForgedHandshake);
}

TEST_P(Noise, LowOrderEphemeralsAreRefusedInBothMessages) {
  for (const crypto::KeyBytes& point : low_order_points()) {
    paper.low_order_ephemeral = point;
    EXPECT_EQ(consume(paper.initiation(), kStart + seconds(++time)), Drop::kForgedHandshake);
    ASSERT_TRUE(initiate());
    const Message answer = paper.response();
    EXPECT_FALSE(ours.consume_response(us, as_response(answer)));
  }
}

TEST_P(Noise, NoHandshakeIsPossibleWithAPeerWhoseStaticKeyHasLowOrder) {
  for (const crypto::KeyBytes& point : low_order_points()) {
    paper.static_public = point;
    paper.low_order_static = true;
    Handshake with_it(crypto::PublicKey{point});
    EXPECT_FALSE(with_it.create_initiation(us, 1, PaperPeer::timestamp(1), initiation));
    EXPECT_EQ(with_it.stage(), Handshake::Stage::kIdle);
    EXPECT_EQ(consume_by(with_it, paper.initiation(), kStart), Drop::kForgedHandshake);
  }
}

TEST_P(Noise, NoHandshakeIsPossibleWithoutAPrivateKey) {
  const Identity nobody{crypto::PrivateKey{}};
  EXPECT_FALSE(nobody.has_key());
  EXPECT_FALSE(ours.create_initiation(nobody, 1, PaperPeer::timestamp(1), initiation));
  ours.identity_changed();
  EXPECT_TRUE(initiate()) << "once there is one";
}

TEST_P(Noise, AnInitiationIsTakenOnceAndOnlyIfItsTimestampIsNewer) {
  const Message second = paper.initiation(PaperPeer::timestamp(1000, 1 << 24));
  EXPECT_EQ(consume(second, kStart), Drop::kNone);
  EXPECT_EQ(consume(second, kStart + seconds(1)), Drop::kReplayedInitiation);
  EXPECT_EQ(consume(paper.initiation(PaperPeer::timestamp(1000)), kStart + seconds(2)), Drop::kReplayedInitiation);
  EXPECT_EQ(consume(paper.initiation(PaperPeer::timestamp(999, 999'999'999)), kStart + seconds(2)),
            Drop::kReplayedInitiation);
  EXPECT_EQ(consume(paper.initiation(PaperPeer::timestamp(1000, 2 << 24)), kStart + seconds(2)), Drop::kNone);
}

TEST_P(Noise, InitiationsOfOnePeerAreTakenAtMostEveryTwentyMilliseconds) {
  EXPECT_EQ(consume(paper.initiation(), kStart), Drop::kNone);
  EXPECT_EQ(consume(paper.initiation(), kStart + milliseconds(19)), Drop::kReplayedInitiation);
  EXPECT_EQ(consume(paper.initiation(), kStart + milliseconds(20)), Drop::kNone) << "those refused do not count";
  EXPECT_EQ(consume(paper.initiation(), kStart + milliseconds(39)), Drop::kReplayedInitiation);
}

TEST_P(Noise, TheLastTimestampOutlivesTheKeys) {
  const Message message = paper.initiation();
  ASSERT_EQ(consume(message), Drop::kNone);
  ours.clear();
  EXPECT_EQ(ours.stage(), Handshake::Stage::kIdle);
  EXPECT_EQ(consume(message, kStart + seconds(600)), Drop::kReplayedInitiation);
}

TEST_P(Noise, AForgedInitiationChangesNothing) {
  ASSERT_TRUE(initiate());
  Message forged = paper.initiation(PaperPeer::timestamp(1'999'999'999));
  forged[100] ^= 1;
  EXPECT_EQ(consume(forged), Drop::kForgedHandshake);
  EXPECT_EQ(ours.stage(), Handshake::Stage::kInitiationCreated);
  EXPECT_EQ(consume(paper.initiation(PaperPeer::timestamp(5))), Drop::kNone) << "neither its time nor its moment count";
}

TEST_P(Noise, AfterAForgedResponseTheRightOneStillFits) {
  ASSERT_TRUE(initiate());
  const Message answer = paper.response();
  for (const size_t at : {size_t{12}, size_t{43}, size_t{44}, size_t{59}}) {
    Message forged = answer;
    forged[at] ^= 0x10;
    EXPECT_FALSE(ours.consume_response(us, as_response(forged)));
  }
  EXPECT_TRUE(ours.consume_response(us, as_response(answer)));
  EXPECT_FALSE(ours.consume_response(us, as_response(answer))) << "once";
}

TEST_P(Noise, AnInitiationOfThePeerTakesTheFloorFromOurs) {
  ASSERT_TRUE(initiate());
  const Message late_answer = paper.response();
  ASSERT_EQ(consume(paper.initiation()), Drop::kNone);
  EXPECT_FALSE(ours.consume_response(us, as_response(late_answer)));
  EXPECT_TRUE(respond());
}

TEST_P(Noise, StepsOutOfTurnAreRefused) {
  EXPECT_FALSE(ours.create_response(1, response));
  EXPECT_FALSE(ours.begin_session(kStart));
  ASSERT_TRUE(initiate());
  EXPECT_FALSE(ours.create_response(1, response));
  EXPECT_FALSE(ours.begin_session(kStart));
  ASSERT_EQ(consume(paper.initiation()), Drop::kNone);
  EXPECT_FALSE(ours.begin_session(kStart));
  ASSERT_TRUE(respond());
  EXPECT_FALSE(ours.create_response(1, response)) << "one response per initiation";
  EXPECT_TRUE(ours.begin_session(kStart));
  EXPECT_FALSE(ours.begin_session(kStart)) << "one session per handshake";
  EXPECT_EQ(ours.local_index(), 0u) << "the index is the session's now";
}

WallTime at(int64_t second, int64_t nanosecond) { return WallTime(seconds(second) + nanoseconds(nanosecond)); }

TEST(TimestampSource, WritesTai64nRoundedDownToTwoToThe24Nanoseconds) {
  EXPECT_EQ(TimestampSource().next(at(1'700'000'000, 123'456'789)), PaperPeer::timestamp(1'700'000'000, 7 << 24));
  EXPECT_EQ(TimestampSource().next(at(1'700'000'000, 999'999'999)), PaperPeer::timestamp(1'700'000'000, 59 << 24));
  EXPECT_EQ(TimestampSource().next(at(1'700'000'000, 16'777'215)), PaperPeer::timestamp(1'700'000'000, 0));
}

TEST(TimestampSource, GrowsEvenIfTheClockStandsOrJumpsBack) {
  TimestampSource source;
  Timestamp last = source.next(at(1'700'000'000, 990'000'000));
  for (int i = 0; i < 1000; ++i) {
    const int64_t second = i < 300 ? 1'700'000'000 : i < 600 ? 1'699'000'000 : 1'699'000'000 + i;
    const Timestamp next = source.next(at(second, i % 7));
    ASSERT_GT(next, last) << i;
    last = next;
  }
  EXPECT_EQ(source.next(at(1'800'000'000, 0)), PaperPeer::timestamp(1'800'000'000)) << "the clock has caught up";
}

}  // namespace
}  // namespace adit::tunnel
