// Datagrams that look alike leave, and come, as one.
#include <netinet/udp.h>

#include <numeric>

#include "tests/net_os/udp_lab.h"

namespace adit {
namespace {

class Trains : public UdpTest {
 protected:
  /// Datagrams of these sizes, each with content of its own.
  Datagrams of_sizes(const Endpoint& remote, const std::vector<size_t>& sizes) {
    Datagrams made;
    for (size_t i = 0; i < sizes.size(); ++i) {
      made.push_back(datagram(remote, std::vector<uint8_t>(sizes[i], static_cast<uint8_t>(i))));
    }
    return made;
  }

  /// How many system calls' worth of messages came, each with its size: a receiver that asks for trains itself.
  static std::vector<size_t> messages_at(int fd) {
    std::vector<size_t> sizes;
    std::vector<uint8_t> buffer(65536);
    while (wait_readable(fd, 50)) {
      sizes.push_back(static_cast<size_t>(::recv(fd, buffer.data(), buffer.size(), 0)));
    }
    return sizes;
  }

  void expect_through(const std::vector<size_t>& sizes, const Offloads& from, const Offloads& to) {
    UdpSocket sender = UdpSocket::bind(at("10.9.0.1"), from);
    UdpSocket receiver = UdpSocket::bind(at("10.9.0.2"), to);
    Datagrams sent = of_sizes(receiver.local(), sizes);
    sender.write(sent, drops_);
    const Datagrams got = read(receiver, sizes.size());
    ASSERT_EQ(got.size(), sizes.size());
    for (size_t i = 0; i < sizes.size(); ++i) {
      ASSERT_EQ(payload_of(got[i]), std::vector<uint8_t>(sizes[i], static_cast<uint8_t>(i))) << i;
      ASSERT_EQ(got[i].remote, sender.local());
      ASSERT_EQ(got[i].local.ip, receiver.local().ip);
    }
    EXPECT_EQ(drops_.total(), 0u);
  }

  const Offloads none_ = parse_offloads("none");
};

TEST_F(Trains, ArriveWholeHoweverTheyTravel) {
  const std::vector<std::vector<size_t>> cases = {
      {1000},
      std::vector<size_t>(3, 1452),
      std::vector<size_t>(45, 1452),
      std::vector<size_t>(200, 1452),  // more than one train may hold
      std::vector<size_t>(200, 32),    // the number is the limit, not the size
      {1452, 1452, 700, 1452, 1452},   // a shorter one ends its train
      {100, 200, 300},                 // a longer one begins the next
      {5, 0, 5, 5},                    // an empty one is nobody's companion
      std::vector<size_t>(40, kLargest),
  };
  for (const auto& sizes : cases) {
    for (const Offloads& from : {Offloads{}, none_}) {
      for (const Offloads& to : {Offloads{}, none_}) expect_through(sizes, from, to);
    }
  }
}

TEST_F(Trains, LeaveTogether) {
  UdpSocket sender = UdpSocket::bind(at("10.9.0.1"));
  const UdpSocket receiver = UdpSocket::bind(at("10.9.0.2"));
  Datagrams sent = of_sizes(receiver.local(), {1000, 1000, 1000, 400, 1000, 1000});
  sender.write(sent, drops_);
  EXPECT_EQ(messages_at(receiver.fd()), (std::vector<size_t>{3400, 2000}));
}

TEST_F(Trains, HoldWhatLooksAlikeOnly) {
  UdpSocket sender = UdpSocket::bind(kAnyV4);
  const UdpSocket receiver = UdpSocket::bind(at("10.9.0.2"));
  const UdpSocket other = UdpSocket::bind(at("10.9.0.3"));
  Datagrams sent = of_sizes(receiver.local(), std::vector<size_t>(6, 100));
  sent[1].tos = 1;                            // marked "capable of congestion signals"
  sent[2].local.ip = *Ip::parse("10.9.0.3");  // from another address
  sent[3].remote = other.local();
  sender.write(sent, drops_);
  EXPECT_EQ(messages_at(receiver.fd()), (std::vector<size_t>{100, 100, 100, 200}));
  EXPECT_EQ(messages_at(other.fd()), (std::vector<size_t>{100}));
}

TEST_F(Trains, AreNotFormedWhereNotWanted) {
  UdpSocket sender = UdpSocket::bind(at("10.9.0.1"), parse_offloads("gro"));
  const UdpSocket receiver = UdpSocket::bind(at("10.9.0.2"));
  Datagrams sent = of_sizes(receiver.local(), std::vector<size_t>(4, 100));
  sender.write(sent, drops_);
  EXPECT_EQ(messages_at(receiver.fd()), std::vector<size_t>(4, 100));
}

TEST_F(Trains, AreSentOneByOneWhereThePathIsTooNarrow) {
  set_mtu("lo", 1300);
  UdpSocket sender = UdpSocket::bind(at("10.9.0.1"));
  UdpSocket receiver = UdpSocket::bind(at("10.9.0.2"));
  Datagrams sent = of_sizes(receiver.local(), std::vector<size_t>(5, 1452));  // each must be fragmented
  sender.write(sent, drops_);
  EXPECT_EQ(read(receiver, 5).size(), 5u);
  EXPECT_EQ(drops_.total(), 0u);
  EXPECT_TRUE(sender.sends_trains()) << "the next path may be wider";
}

TEST_F(Trains, OneWhoseLocalAddressIsGoneIsSentFromAnother) {
  UdpSocket sender = UdpSocket::bind(kAnyV4);
  UdpSocket receiver = UdpSocket::bind(at("10.9.0.2"));
  Datagrams sent = of_sizes(receiver.local(), std::vector<size_t>(5, 1000));
  for (Datagram& each : sent) each.local.ip = *Ip::parse("10.66.0.1");
  sender.write(sent, drops_);
  EXPECT_EQ(read(receiver, 5).size(), 5u);
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(Trains, OneDatagramThatFindsNoBufferDoesNotTakeTheOthersAlong) {
  UdpSocket sender = UdpSocket::bind(at("10.9.0.1"));
  UdpSocket receiver = UdpSocket::bind(at("10.9.0.2"));
  Datagrams sent = of_sizes(receiver.local(), std::vector<size_t>(50, 1000));
  sender.write(sent, drops_);
  PacketPool small(40, kLargest);
  Datagrams got;
  ASSERT_TRUE(wait_readable(receiver.fd()));
  receiver.read(small, 90, got, drops_);
  EXPECT_EQ(got.size(), 40u);
  EXPECT_EQ(drops_[Drop::kNoBuffer], 10u);
}

TEST(ParseOffloads, KnowsAllNoneAndEachName) {
  EXPECT_EQ(parse_offloads("all"), Offloads{});
  EXPECT_EQ(parse_offloads("none"), (Offloads{false, false, false, false}));
  EXPECT_EQ(parse_offloads("tso"), (Offloads{true, false, false, false}));
  for (const char* text : {"none", "tso", "uso,gro", "tso,uso,segment,gro"}) {
    EXPECT_EQ(to_string(parse_offloads(text)), text);
  }
  EXPECT_EQ(parse_offloads("segment,gro"), (Offloads{false, false, true, true}));
  EXPECT_EQ(parse_offloads("uso,tso,gro,segment"), Offloads{});
}

TEST(ParseOffloads, RefusesWhatItDoesNotKnow) {
  for (const char* text : {"", "tso,", ",", "TSO", "none,tso", "gso"}) {
    EXPECT_THROW(parse_offloads(text), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace adit
