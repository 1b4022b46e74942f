// Inner packets that lead nowhere, and what their sender is told.
#include <gtest/gtest.h>

#include "net/ip.h"
#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

/// UDP, and no fragment.
Message to(const char* destination) {
  const Ip ip = *Ip::parse(destination);
  Message packet = inner_packet(*Ip::parse(ip.is_v4() ? "10.0.0.1" : "fd00::1"), ip, 64);
  if (ip.is_v4()) store_be16(&packet[6], 0);
  packet[ip.is_v4() ? 9 : 6] = 17;
  return packet;
}

struct Unreachable : ::testing::Test {
  LoneTunnel lone;
  PaperPeer mute = lone.add_peer({"10.0.0.2/32", "fd00::2/128"}, {}, false);
  PaperPeer peer = lone.add_peer({"10.0.0.3/32", "fd00::3/128"});
};

TEST_F(Unreachable, DestinationsOfNoPeerAndOfPeersWithoutEndpointAreAnswered) {
  for (const char* destination : {"10.0.0.9", "10.0.0.2"}) {
    lone.send({to(destination)});
    ASSERT_EQ(lone.unreachable.size(), 1u) << destination;
    const Message& error = lone.unreachable[0];
    EXPECT_EQ(source_of(error), Ip::parse(destination));
    EXPECT_EQ(destination_of(error), Ip::parse("10.0.0.1"));
    EXPECT_EQ(error[20], 3);
    EXPECT_EQ(error[21], 1);
    EXPECT_EQ(Message(error.begin() + 28, error.end()), to(destination));
  }
  for (const char* destination : {"fd00::9", "fd00::2"}) {
    lone.send({to(destination)});
    ASSERT_EQ(lone.unreachable.size(), 1u) << destination;
    EXPECT_EQ(lone.unreachable[0][40], 1);
    EXPECT_EQ(lone.unreachable[0][41], 3);
  }
  EXPECT_EQ(lone.drops(Drop::kNoRoute), 2u);
  EXPECT_EQ(lone.drops(Drop::kNoEndpoint), 2u);
  EXPECT_EQ(lone.pool.available(), lone.pool.slots());
}

TEST_F(Unreachable, IsNotSaidOfPacketsThatWaitForAHandshake) {
  lone.send({to("10.0.0.3"), to("fd00::3")});
  EXPECT_TRUE(lone.unreachable.empty());
}

TEST_F(Unreachable, IsNotSaidOfWhatIsNotIpOrGoesToMany) {
  lone.send({Message(60, 0x50), Message{}, to("224.0.0.251"), to("ff02::fb"), to("255.255.255.255")});
  EXPECT_TRUE(lone.unreachable.empty());
  EXPECT_EQ(lone.drops(Drop::kNoRoute), 3u);
}

TEST_F(Unreachable, IsNotSaidInAnswerToItself) {
  lone.send({to("10.0.0.9")});
  Message error = lone.unreachable.at(0);
  for (size_t i = 12; i < 16; ++i) std::swap(error[i], error[i + 4]);
  lone.send({error});
  EXPECT_EQ(lone.drops(Drop::kNoRoute), 2u);
  EXPECT_TRUE(lone.unreachable.empty());
}

TEST_F(Unreachable, IsSaidAHundredTimesASecondAtMost) {
  lone.send(std::vector<Message>(500, to("10.0.0.9")));
  EXPECT_EQ(lone.unreachable.size(), 100u);
  lone.now.mono += milliseconds(100);
  lone.send(std::vector<Message>(500, to("10.0.0.9")));
  EXPECT_EQ(lone.unreachable.size(), 10u);
  lone.send(std::vector<Message>(50, to("224.0.0.1")));
  lone.now.mono += milliseconds(10);
  lone.send({to("224.0.0.1"), to("fd00::9")});
  EXPECT_EQ(lone.unreachable.size(), 1u) << "what is not answered costs nothing";
}

}  // namespace
}  // namespace adit::tunnel
