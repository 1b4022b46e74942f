// Datagrams that take several packets of the tunnel, and errors about what was sent.
#include <gtest/gtest.h>

#include <numeric>

#include "net/checksum.h"
#include "net/fragment.h"
#include "net/reassembly.h"
#include "tests/forward/bench.h"

namespace adit::forward {
namespace {

const char* const kServices[] = {"10.1.2.2:34197", "[fd00:1:2::2]:34197"};

std::string text_of_size(size_t size) {
  std::string text(size, '\0');
  std::iota(text.begin(), text.end(), '\1');
  return text;
}

/// An ICMP or ICMPv6 error of a host on the way, about what `bench` has sent last; the rest of its header is `more`.
Packet error_about(Bench& bench, const Packet& sent, uint8_t type, uint8_t code, uint32_t more) {
  const ConstBytes bytes = sent.bytes();
  const bool v4 = bytes[0] >> 4 == 4;
  const Ip source = destination_of(bytes).value();
  const Ip destination = source_of(bytes).value();
  Packet packet = packet_of(bench.pool(), text_of(bytes.first(v4 ? 28 : 48)));
  const Bytes header = packet.push_front(8);
  header[0] = type;
  header[1] = code;
  store_be16(&header[2], 0);
  store_be32(&header[4], more);
  const uint64_t pseudo = v4 ? 0 : pseudo_header_sum(source, destination, 58, packet.size());
  store_be16(&header[2], checksum_finish(checksum_add(pseudo, packet.bytes())));
  push_ip(packet, source, destination, v4 ? 1 : 58);
  return packet;
}

class OddPackets : public testing::TestWithParam<const char*> {
 protected:
  static Settings settings() { return settings_of({rule_to(GetParam())}); }
  [[nodiscard]] bool v4() const { return service_.ip.is_v4(); }
  Packet unreachable() {
    return v4() ? error_about(bench_, bench_.inner(), 3, 3, 0) : error_about(bench_, bench_.inner(), 1, 4, 0);
  }
  Packet too_big(uint32_t mtu) {
    return v4() ? error_about(bench_, bench_.inner(), 3, 4, mtu) : error_about(bench_, bench_.inner(), 2, 0, mtu);
  }
  size_t pieces_of(size_t payload, Time now = at(seconds(0))) {
    EXPECT_EQ(bench_.send(client_, text_of_size(payload), now), Drop::kNone);
    return bench_.pieces().size();
  }

  const Endpoint service_ = endpoint(GetParam());
  const PublicSide client_ = from("198.51.100.7:5000");
  Bench bench_{settings()};
};

INSTANTIATE_TEST_SUITE_P(BothVersions, OddPackets, testing::ValuesIn(kServices),
                         [](const auto& each) { return each.index == 0 ? "v4" : "v6"; });

TEST_P(OddPackets, ALargePayloadReachesTheServiceInFragmentsAndComesBack) {
  for (const size_t size : {1393u, 1500u, 9000u, 65507u}) {
    const std::string payload = text_of_size(size);
    ASSERT_EQ(bench_.send(client_, payload), Drop::kNone);
    ASSERT_GT(bench_.pieces().size(), 1u);
    Reassembler home{Reassembler::Limits{}};
    DropCounters none;
    Packet whole;
    for (Packet& piece : bench_.pieces()) {
      EXPECT_LE(piece.size(), 1420u);
      whole = std::move(piece);
      (void)home.take(whole, at(seconds(0)), none);
    }
    const UdpView view = udp_view(whole.bytes()).value();
    EXPECT_EQ(text_of(view.payload()), payload);

    PacketBatch answer;
    ASSERT_EQ(
        fragment(udp_packet(bench_.pool(), view.destination, view.source, payload), 1420, 7, bench_.pool(), answer),
        Drop::kNone);
    for (size_t i = answer.size(); i-- > 1;) ASSERT_EQ(bench_.deliver(std::move(answer[i])), Release::kTaken);
    ASSERT_EQ(bench_.deliver(std::move(answer[0])), Release::kToPublic);
    EXPECT_EQ(text_of(bench_.inner()), payload);
    EXPECT_EQ(bench_.to(), client_);
  }
  EXPECT_EQ(bench_.stats().packets_out, 4u);
  EXPECT_EQ(bench_.forwarder().drops().total(), 0u);
}

TEST_P(OddPackets, WhatAServicesHostSendsToOthersPassesWhole) {
  PacketBatch pieces;
  const Endpoint kernels{v4() ? ip("10.1.2.5") : ip("fd00:1:2::5"), 40000};
  const std::string payload = text_of_size(3000);
  ASSERT_EQ(fragment(udp_packet(bench_.pool(), service_, kernels, payload), 1420, 7, bench_.pool(), pieces),
            Drop::kNone);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(bench_.deliver(std::move(pieces[0])), Release::kTaken);
  EXPECT_EQ(bench_.deliver(std::move(pieces[2])), Release::kTaken);
  EXPECT_EQ(bench_.deliver(std::move(pieces[1])), Release::kNotOurs);
  EXPECT_EQ(text_of(udp_view(bench_.inner().bytes()).value().payload()), payload);
}

TEST_P(OddPackets, FragmentsOfOtherHostsAreNotTouched) {
  PacketBatch pieces;
  const Endpoint other{v4() ? ip("10.1.2.3") : ip("fd00:1:2::3"), 34197};
  const Endpoint kernels{v4() ? ip("10.1.2.5") : ip("fd00:1:2::5"), 40000};
  ASSERT_EQ(fragment(udp_packet(bench_.pool(), other, kernels, text_of_size(3000)), 1420, 7, bench_.pool(), pieces),
            Drop::kNone);
  for (Packet& piece : pieces) {
    const std::string before = text_of(piece);
    EXPECT_EQ(bench_.deliver(std::move(piece)), Release::kNotOurs);
    EXPECT_EQ(text_of(bench_.inner()), before);
  }
}

TEST_P(OddPackets, AFragmentThatWaitsIsDroppedAndCountedAfterAWhile) {
  PacketBatch pieces;
  ASSERT_EQ(fragment(udp_packet(bench_.pool(), service_, bench_.open(client_), text_of_size(3000)), 1420, 7,
                     bench_.pool(), pieces),
            Drop::kNone);
  ASSERT_EQ(bench_.deliver(std::move(pieces[0])), Release::kTaken);
  EXPECT_EQ(bench_.forwarder().next_deadline(), at(Reassembler::kTimeout));
  bench_.forwarder().expire(at(Reassembler::kTimeout));
  EXPECT_EQ(bench_.forwarder().drops()[Drop::kFragmentTimeout], 1u);
  EXPECT_GT(bench_.forwarder().next_deadline(), at(Reassembler::kTimeout));
}

TEST_P(OddPackets, FragmentsThatWaitSurviveAReload) {
  PacketBatch pieces;
  const Endpoint ours = bench_.open(client_);
  ASSERT_EQ(fragment(udp_packet(bench_.pool(), service_, ours, text_of_size(2000)), 1420, 7, bench_.pool(), pieces),
            Drop::kNone);
  ASSERT_EQ(bench_.deliver(std::move(pieces[0])), Release::kTaken);
  Bench next(settings());
  next.forwarder().take_over(bench_.forwarder(), at(seconds(0)));
  EXPECT_EQ(next.deliver(std::move(pieces[1])), Release::kToPublic);
  EXPECT_EQ(next.inner().size(), 2000u);
}

TEST_P(OddPackets, AServiceThatIsNotThereShowsUntilItAnswers) {
  const Endpoint ours = bench_.open(client_);
  EXPECT_EQ(bench_.deliver(unreachable()), Release::kTaken);
  EXPECT_TRUE(bench_.stats().is_unreachable);
  EXPECT_EQ(bench_.stats().unreachable, 1u);
  EXPECT_EQ(bench_.stats().flows, 1u) << "it may come back";
  EXPECT_EQ(bench_.answer(service_, ours, "here I am"), Release::kToPublic);
  EXPECT_FALSE(bench_.stats().is_unreachable);
  EXPECT_EQ(bench_.stats().unreachable, 1u);
}

TEST_P(OddPackets, ASmallerMtuOnTheWayIsKeptForTenMinutes) {
  EXPECT_EQ(pieces_of(1300), 1u);
  bench_.open(client_);
  EXPECT_EQ(bench_.deliver(too_big(1420)), Release::kNotOurs) << "it fits: nobody has a reason to say so";
  ASSERT_EQ(pieces_of(1360), 1u);
  ASSERT_EQ(bench_.deliver(too_big(1300)), Release::kTaken);
  EXPECT_EQ(pieces_of(1360), 2u);
  for (const Packet& piece : bench_.pieces()) EXPECT_LE(piece.size(), 1300u);
  EXPECT_EQ(pieces_of(1360, at(std::chrono::minutes(10) - seconds(1))), 2u);
  EXPECT_EQ(pieces_of(1360, at(std::chrono::minutes(10))), 1u);
}

TEST_P(OddPackets, ASmallerMtuOnTheWayIsCarriedOverToTheSameService) {
  bench_.open(client_);
  ASSERT_EQ(pieces_of(1360), 1u);
  ASSERT_EQ(bench_.deliver(too_big(1300)), Release::kTaken);
  Bench same(settings());
  same.forwarder().take_over(bench_.forwarder(), at(seconds(1)));
  EXPECT_EQ(same.send(client_, text_of_size(1360), at(seconds(1))), Drop::kNone);
  EXPECT_EQ(same.pieces().size(), 2u);
  Bench other(settings_of({rule_to(v4() ? "10.1.2.2:34198" : "[fd00:1:2::2]:34198")}));
  other.forwarder().take_over(same.forwarder(), at(seconds(2)));
  EXPECT_EQ(other.send(client_, text_of_size(1360), at(seconds(2))), Drop::kNone);
  EXPECT_EQ(other.pieces().size(), 1u);
}

TEST_P(OddPackets, ATinyMtuIsNotBelievedToTheLetter) {
  ASSERT_EQ(pieces_of(1300), 1u);
  ASSERT_EQ(bench_.deliver(too_big(v4() ? 68 : 1280)), Release::kTaken);
  EXPECT_EQ(pieces_of(1300), v4() ? 3u : 2u);
}

TEST_P(OddPackets, FragmentsThatOnlyPassThroughAreNotTouched) {
  PacketBatch pieces;
  const Endpoint elsewhere{v4() ? ip("192.0.2.7") : ip("2001:db8::7"), 40000};
  ASSERT_EQ(
      fragment(udp_packet(bench_.pool(), service_, elsewhere, text_of_size(3000)), 1420, 7, bench_.pool(), pieces),
      Drop::kNone);
  for (Packet& piece : pieces) EXPECT_EQ(bench_.deliver(std::move(piece)), Release::kNotOurs);
}

TEST_P(OddPackets, ErrorsAboutNoFlowAreNotOurs) {
  const Endpoint ours = bench_.open(client_);
  Packet about = udp_packet(bench_.pool(), {ours.ip, static_cast<uint16_t>(ours.port ^ 1)}, service_, "x");
  EXPECT_EQ(bench_.deliver(v4() ? error_about(bench_, about, 3, 3, 0) : error_about(bench_, about, 1, 4, 0)),
            Release::kNotOurs);
  EXPECT_FALSE(bench_.stats().is_unreachable);
}

}  // namespace
}  // namespace adit::forward
