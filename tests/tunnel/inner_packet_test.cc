// What an authenticated peer may put into the tunnel.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

struct InnerPacket : ::testing::Test {
  void SetUp() override { ASSERT_TRUE(lone.greet(peer)); }
  static Message from(const char* source, size_t size = 64) {
    const Ip ip = *Ip::parse(source);
    return inner_packet(ip, *Ip::parse(ip.is_v4() ? "10.0.0.1" : "fd00::1"), size);
  }
  /// What happens to an inner packet the peer seals: kNone when it comes out.
  Drop fate_of(const Message& packet) {
    const uint64_t bytes = lone.status(peer).received_bytes;
    const DropCounters before = lone.tunnel.drops();
    lone.receive(peer.data(packet));
    Drop fate = Drop::kNone;
    for (size_t i = 0; i < kDropCount; ++i) {
      if (lone.tunnel.drops()[static_cast<Drop>(i)] != before[static_cast<Drop>(i)]) fate = static_cast<Drop>(i);
    }
    EXPECT_EQ(lone.tunnel.drops().total() - before.total(), fate == Drop::kNone ? 0u : 1u);
    EXPECT_EQ(lone.inner.size(), fate == Drop::kNone ? 1u : 0u);
    EXPECT_EQ(lone.status(peer).received_bytes - bytes, fate == Drop::kNone ? packet.size() + 32 : 0u);
    return fate;
  }

  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32", "fd00::2/128"});
};

TEST_F(InnerPacket, LosesItsPadding) {
  for (const char* source : {"10.0.0.2", "fd00::2"}) {
    Message padded = from(source, 70);
    padded.resize(300);
    EXPECT_EQ(fate_of(padded), Drop::kNone);
    EXPECT_EQ(lone.inner.at(0), from(source, 70));
  }
}

TEST_F(InnerPacket, OfAnotherVersionIsRefused) {
  for (const int version : {0, 1, 2, 3, 5, 7, 8, 15}) {
    Message packet = from("10.0.0.2");
    packet[0] = static_cast<uint8_t>(version << 4 | 5);
    EXPECT_EQ(fate_of(packet), Drop::kNotIp) << version;
  }
}

TEST_F(InnerPacket, WithoutAWholeHeaderIsRefused) {
  for (size_t size = 1; size < 40; ++size) {
    Message packet = from("fd00::2");
    packet.resize(size);
    EXPECT_EQ(fate_of(packet), Drop::kNotIp) << size;
    if (size >= 20) continue;
    packet = from("10.0.0.2");
    packet.resize(size);
    EXPECT_EQ(fate_of(packet), Drop::kNotIp) << size;
  }
}

TEST_F(InnerPacket, ThatLiesAboutItsLengthIsRefused) {
  for (const int length : {0, 1, 19, 65, 66, 1000, 65535}) {
    Message packet = from("10.0.0.2", 64);
    store_be16(&packet[2], static_cast<uint16_t>(length));
    EXPECT_EQ(fate_of(packet), Drop::kBadIpLength) << length;
  }
  for (const int length : {25, 26, 1000, 65495, 65496, 65497, 65535}) {
    Message packet = from("fd00::2", 64);
    store_be16(&packet[4], static_cast<uint16_t>(length));
    EXPECT_EQ(fate_of(packet), Drop::kBadIpLength) << length;
  }
}

TEST_F(InnerPacket, MayBeNoMoreThanItsHeader) {
  EXPECT_EQ(fate_of(from("10.0.0.2", 20)), Drop::kNone);
  EXPECT_EQ(fate_of(from("fd00::2", 40)), Drop::kNone);
}

TEST_F(InnerPacket, FromAnAddressOfNobodyIsRefused) {
  for (const char* source : {"10.0.0.3", "10.0.0.1", "0.0.0.0", "fd00::3", "::"}) {
    EXPECT_EQ(fate_of(from(source)), Drop::kWrongSource) << source;
  }
}

TEST_F(InnerPacket, FromAMappedIpv4AddressIsRefused) {
  Message packet = from("fd00::2");
  const std::array<uint8_t, 16> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2};
  std::ranges::copy(mapped, packet.begin() + 8);
  EXPECT_EQ(fate_of(packet), Drop::kNotIp);
}

TEST_F(InnerPacket, FromAnAddressOfAnotherPeerIsRefusedAlsoInANestedSubnet) {
  PaperPeer wide = lone.add_peer({"10.0.0.0/8"});
  PaperPeer nested = lone.add_peer({"10.0.0.64/26"});
  ASSERT_TRUE(lone.greet(wide));
  ASSERT_TRUE(lone.greet(nested));
  const auto accepted = [&](PaperPeer& sender, const char* source) {
    lone.receive(sender.data(from(source)));
    return lone.inner.size() == 1;
  };
  EXPECT_TRUE(accepted(wide, "10.0.0.63"));
  EXPECT_FALSE(accepted(wide, "10.0.0.64"));
  EXPECT_FALSE(accepted(wide, "10.0.0.127"));
  EXPECT_TRUE(accepted(wide, "10.0.0.128"));
  EXPECT_FALSE(accepted(wide, "10.0.0.2"));
  EXPECT_TRUE(accepted(nested, "10.0.0.64"));
  EXPECT_FALSE(accepted(nested, "10.0.0.63"));
  EXPECT_TRUE(accepted(peer, "10.0.0.2"));
  EXPECT_EQ(lone.drops(Drop::kWrongSource), 4u);
}

TEST_F(InnerPacket, ThatIsRefusedIsStillAnsweredByAKeepalive) {
  const Message packet = from("10.66.0.2");
  lone.receive(peer.data(packet));
  lone.advance(seconds(10));
  ASSERT_EQ(lone.replies.size(), 1u);
  EXPECT_EQ(lone.replies[0].size(), 32u);
  EXPECT_EQ(peer.open(lone.replies[0]), Message{});
}

}  // namespace
}  // namespace adit::tunnel
