// Datagrams that no link carries in one piece: the kernel cuts them and puts them together.
#include "tests/net_os/udp_lab.h"

namespace adit {
namespace {

std::vector<uint8_t> bytes(size_t size, uint8_t first) {
  std::vector<uint8_t> content(size);
  for (size_t i = 0; i < size; ++i) content[i] = static_cast<uint8_t>(first + i * 7 + i / 256);
  return content;
}

class LargeUdpTest : public UdpTest {
 protected:
  void SetUp() override {
    UdpTest::SetUp();
    if (IsSkipped()) return;
    set_mtu(test::kLoopback, 1500);
    pool_.add_large(4, 65527);
  }
  Datagram large(const Endpoint& remote, const std::vector<uint8_t>& payload) {
    Datagram made{pool_.take(payload.size()), remote, {}};
    copy_bytes(payload, made.packet.push_back(payload.size()).data());
    return made;
  }
};

constexpr std::pair<const char*, size_t> kLargestOf[] = {{"10.9.0.1", 65507}, {"fd09::1", 65527}};

TEST_F(LargeUdpTest, TheLargestAreReadWhereThePoolHasRoomForThem) {
  for (const char* offloads : {"all", "none"}) {
    for (const auto& [ip, largest] : kLargestOf) {
      UdpSocket socket = UdpSocket::bind(at(ip), parse_offloads(offloads));
      Client client(at(ip));
      const std::vector<std::vector<uint8_t>> sent = {
          {1}, bytes(largest, 2), bytes(kLargest, 3), bytes(kLargest + 1, 4), {5}};
      for (const auto& payload : sent) client.send(socket.local(), payload);
      const Datagrams got = read(socket, sent.size());
      ASSERT_EQ(got.size(), sent.size());
      for (size_t i = 0; i < sent.size(); ++i) {
        EXPECT_EQ(payload_of(got[i]), sent[i]) << ip << " " << i;
        EXPECT_EQ(got[i].remote, client.local());
        EXPECT_EQ(got[i].packet.headroom(), kHeadroom);
      }
      EXPECT_EQ(pool_.available(), pool_.slots() - 3) << "two are in large slots";
    }
  }
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(LargeUdpTest, WithoutALargeSlotTheyAreCountedAndTheOthersKept) {
  UdpSocket socket = UdpSocket::bind(at("10.9.0.1"));
  Client client(at("10.9.0.2"));
  for (uint8_t i = 0; i < 6; ++i) client.send(socket.local(), bytes(60000, i));
  client.send(socket.local(), {7});
  Datagrams got;
  socket.read(pool_, 100, got, drops_);
  ASSERT_EQ(got.size(), 5u);
  for (uint8_t i = 0; i < 4; ++i) EXPECT_EQ(payload_of(got[i]), bytes(60000, i));
  EXPECT_EQ(payload_of(got[4]), std::vector<uint8_t>{7});
  EXPECT_EQ(drops_[Drop::kNoBuffer], 2u);
  EXPECT_EQ(drops_.total(), 2u);
  got.clear();
  client.send(socket.local(), bytes(60000, 8));
  ASSERT_TRUE(wait_readable(socket.fd()));
  socket.read(pool_, 100, got, drops_);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(payload_of(got[0]), bytes(60000, 8));
}

TEST_F(LargeUdpTest, TheLargestAreWrittenWhole) {
  for (const auto& [ip, largest] : kLargestOf) {
    UdpSocket socket = UdpSocket::bind(at(ip), parse_offloads("all"));
    Client client(at(ip));
    for (uint8_t i = 0; i < 3; ++i) {  // one by one: a plain socket has room for no more
      Datagrams sent;
      sent.push_back(large(client.local(), bytes(largest, i)));
      socket.write(sent, drops_);
      const auto got = client.receive();
      ASSERT_TRUE(got) << ip;
      EXPECT_TRUE(got->payload == bytes(largest, i)) << ip;
    }
  }
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(LargeUdpTest, AlikeOnesThatOneTrainCouldHoldAreSentOneByOne) {
  for (const char* ip : {"10.9.0.1", "fd09::1"}) {
    UdpSocket socket = UdpSocket::bind(at(ip), parse_offloads("all"));
    Client client(at(ip));
    Datagrams sent;
    for (uint8_t i = 0; i < 2; ++i) sent.push_back(large(client.local(), bytes(20000, i)));
    for (uint8_t i = 2; i < 12; ++i) sent.push_back(large(client.local(), bytes(1000, i)));
    socket.write(sent, drops_);
    for (uint8_t i = 0; i < 12; ++i) {
      const auto got = client.receive();
      ASSERT_TRUE(got) << ip;
      EXPECT_TRUE(got->payload == bytes(i < 2 ? 20000 : 1000, i)) << ip;
    }
  }
  EXPECT_EQ(drops_.total(), 0u);
}

}  // namespace
}  // namespace adit
