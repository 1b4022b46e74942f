// From inner packets to datagrams: routes, padding, counters.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

const Ip kOurs = *Ip::parse("10.0.0.1");
const Ip kTheirs = *Ip::parse("10.0.0.2");

Message to(const char* destination, size_t size = 64) {
  const Ip ip = *Ip::parse(destination);
  return inner_packet(ip.is_v4() ? kOurs : *Ip::parse("fd00::1"), ip, size);
}

/// The size of the text sealed for an inner packet of `length` bytes.
size_t sealed_size_of(uint16_t mtu, size_t length) {
  LoneTunnel lone(mtu);
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  if (!lone.greet(peer)) return 0;
  const Message packet = inner_packet(kOurs, kTheirs, length);
  lone.send({packet});
  const std::optional<Message> text = peer.open(lone.replies.at(0));
  if (!text || !std::equal(packet.begin(), packet.end(), text->begin())) return 0;
  if (std::any_of(text->begin() + static_cast<ptrdiff_t>(length), text->end(), [](uint8_t b) { return b != 0; })) {
    return 0;
  }
  return text->size();
}

TEST(Padding, FillsUpWithZerosToAMultipleOfSixteen) {
  EXPECT_EQ(sealed_size_of(1420, 20), 32u);
  EXPECT_EQ(sealed_size_of(1420, 31), 32u);
  EXPECT_EQ(sealed_size_of(1420, 32), 32u);
  EXPECT_EQ(sealed_size_of(1420, 33), 48u);
  EXPECT_EQ(sealed_size_of(1420, 1408), 1408u);
}

TEST(Padding, GoesNoFurtherThanTheMtu) {
  EXPECT_EQ(sealed_size_of(1420, 1409), 1420u);
  EXPECT_EQ(sealed_size_of(1420, 1419), 1420u);
  EXPECT_EQ(sealed_size_of(1420, 1420), 1420u);
  EXPECT_EQ(sealed_size_of(1299, 1299), 1299u);
  EXPECT_EQ(sealed_size_of(1299, 1297), 1299u);
  EXPECT_EQ(sealed_size_of(1299, 1296), 1296u);
  EXPECT_EQ(sealed_size_of(1360, 1299), 1312u);
  EXPECT_EQ(sealed_size_of(1360, 1359), 1360u);
}

TEST(Padding, OfAPacketLargerThanTheMtuGoesByWhatIsLeftOver) {
  EXPECT_EQ(sealed_size_of(1000, 1001), 1016u);
  EXPECT_EQ(sealed_size_of(1000, 1016), 1016u);
  EXPECT_EQ(sealed_size_of(1000, 1017), 1032u);
  EXPECT_EQ(sealed_size_of(600, 1200), 1200u);
  EXPECT_EQ(sealed_size_of(600, 1799), 1800u) << "the last part no further than the MTU";
}

TEST(Padding, IsPlainWithoutAnMtu) { EXPECT_EQ(sealed_size_of(0, 1409), 1424u); }

struct Encapsulate : ::testing::Test {
  LoneTunnel lone;
};

TEST_F(Encapsulate, CountersGoUpByOneFromZero) {
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  ASSERT_TRUE(lone.greet(peer));
  lone.send(std::vector<Message>(5, to("10.0.0.2")));
  lone.send({to("10.0.0.2")});
  EXPECT_EQ(load_le64(&lone.replies.at(0)[8]), 5u);
  EXPECT_EQ(load_le32(&lone.replies.at(0)[0]), 4u);
  EXPECT_EQ(load_le32(&lone.replies.at(0)[4]), peer.index);
}

TEST_F(Encapsulate, AFullBatchLeavesInOrder) {
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  ASSERT_TRUE(lone.greet(peer));
  std::vector<Message> batch;
  for (size_t i = 0; i < kBatchSize; ++i) batch.push_back(to("10.0.0.2", 100 + i));
  lone.send(batch);
  ASSERT_EQ(lone.replies.size(), kBatchSize);
  for (size_t i = 0; i < kBatchSize; ++i) {
    const std::optional<Message> text = peer.open(lone.replies[i]);
    ASSERT_TRUE(text);
    EXPECT_TRUE(std::equal(batch[i].begin(), batch[i].end(), text->begin()));
    EXPECT_EQ(load_le64(&lone.replies[i][8]), i);
  }
}

TEST_F(Encapsulate, EachPacketGoesToThePeerWithTheLongestPrefix) {
  PaperPeer wide = lone.add_peer({"10.0.0.0/8", "::/0"});
  PaperPeer narrow = lone.add_peer({"10.1.0.0/16", "fd00:1::/32"});
  ASSERT_TRUE(lone.greet(wide));
  ASSERT_TRUE(lone.greet(narrow));
  const std::vector<Message> batch = {to("10.0.0.2"), to("10.1.2.3"), to("10.255.0.1"), to("fd00:1::5"), to("fd00::5")};
  lone.send(batch);
  ASSERT_EQ(lone.replies.size(), 5u);
  std::vector<Message> to_wide, to_narrow;
  for (const Message& reply : lone.replies) {
    if (auto text = wide.open(reply)) to_wide.push_back(*text);
    if (auto text = narrow.open(reply)) to_narrow.push_back(*text);
  }
  EXPECT_EQ(to_wide, (std::vector<Message>{batch[0], batch[2], batch[4]}));
  EXPECT_EQ(to_narrow, (std::vector<Message>{batch[1], batch[3]}));
}

TEST_F(Encapsulate, WhatHasNowhereToGoIsCounted) {
  lone.add_peer({"10.0.0.2/32"}, {}, false);
  lone.send({to("10.0.0.2")});
  EXPECT_EQ(lone.drops(Drop::kNoEndpoint), 1u);
  lone.send({to("10.0.0.3"), to("fd00::3")});
  EXPECT_EQ(lone.drops(Drop::kNoRoute), 2u);
  lone.send({Message{}, Message(19, 0x45), Message(39, 0x60), Message(60, 0x50)});
  EXPECT_EQ(lone.drops(Drop::kNotIp), 4u);
  EXPECT_EQ(lone.tunnel.drops().total(), 7u);
  EXPECT_EQ(lone.tunnel.next_deadline(), kNever);
  EXPECT_EQ(lone.pool.available(), lone.pool.slots());
}

TEST_F(Encapsulate, APeerWithoutEndpointIsReachedOnceItHasCalled) {
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"}, {}, false);
  ASSERT_TRUE(lone.greet(peer));
  lone.send({to("10.0.0.2")});
  ASSERT_EQ(lone.sent.size(), 1u);
  EXPECT_EQ(lone.sent[0].remote, lone.endpoint);
  EXPECT_EQ(lone.sent[0].local.ip, lone.local) << "from the address the peer sent to";
}

TEST_F(Encapsulate, ByteCountersAreTheUdpPayload) {
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  ASSERT_TRUE(lone.greet(peer));
  EXPECT_EQ(lone.status(peer).sent_bytes, 92u);
  EXPECT_EQ(lone.status(peer).received_bytes, 148u + 32u);
  lone.send({to("10.0.0.2", 100)});
  EXPECT_EQ(lone.status(peer).sent_bytes, 92u + 32u + 112u);
  lone.receive(peer.data(Message(inner_packet(kTheirs, kOurs, 50))));
  EXPECT_EQ(lone.status(peer).received_bytes, 148u + 32u + 32u + 50u);
  Message padded = inner_packet(kTheirs, kOurs, 50);
  padded.resize(64);
  lone.receive(peer.data(padded));
  EXPECT_EQ(lone.status(peer).received_bytes, 148u + 32u + 32u + 50u + 32u + 64u) << "padding counts";
}

TEST_F(Encapsulate, BothSidesCountTheSameBytes) {
  Wire wire;
  for (size_t i = 0; i < 300; ++i) {
    wire.send(i % 3 == 0 ? wire.b : wire.a, 20 + 13 * i % 1400);
    wire.advance(seconds(3));
  }
  wire.advance(seconds(60));
  EXPECT_EQ(wire.status_of(wire.a).received_bytes, wire.status_of(wire.b).sent_bytes);
  EXPECT_EQ(wire.status_of(wire.b).received_bytes, wire.status_of(wire.a).sent_bytes);
  uint64_t bytes = 0;
  for (const Wire::Sent& sent : wire.log) bytes += sent.from == &wire.a ? sent.bytes.size() : 0;
  EXPECT_EQ(wire.status_of(wire.b).sent_bytes, bytes);
}

TEST_F(Encapsulate, WaitingPacketsDoNotUseUpTheBuffersOfOthers) {
  lone.add_peer({"10.0.0.2/32"});
  for (const char* prefix : {"10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24", "10.0.5.0/24", "10.0.6.0/24",
                             "10.0.7.0/24", "10.0.8.0/24", "10.0.9.0/24"}) {
    lone.add_peer({prefix});
    std::string address(prefix);
    address.replace(address.size() - 4, 4, "1");
    for (int i = 0; i < 128; ++i) lone.send({to(address.c_str())});
    lone.sent.clear();
  }
  EXPECT_GE(lone.pool.available(), lone.pool.slots() / 4);
  EXPECT_GT(lone.drops(Drop::kStageFull), 0u);
}

}  // namespace
}  // namespace adit::tunnel
