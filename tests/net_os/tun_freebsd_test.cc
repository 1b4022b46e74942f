#include <fcntl.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>

#include "net/interface.h"
#include "net/ip.h"
#include "net/sockaddr.h"
#include "net/tun.h"
#include "tests/support/netns.h"

namespace adit {
namespace {

using test::wait_readable;

constexpr size_t kLargest = 2048 - kHeadroom - kTailroom;

std::string create_error(const std::string& name) {
  try {
    Tun::create(name);
  } catch (const std::system_error& error) {
    return error.what();
  }
  return "no error";
}

size_t interfaces() {
  struct if_nameindex* const all = if_nameindex();
  size_t count = 0;
  while (all[count].if_index != 0) ++count;
  if_freenameindex(all);
  return count;
}

Fd udp_on(const Endpoint& local) {
  Fd fd(check_call("socket", ::socket(local.ip.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(local, address);
  check_call("bind", ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size));
  return fd;
}

class FreebsdTun : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    tun_.emplace(Tun::create("adit0"));
    set_no_automatic_addresses("adit0");
    add_address("adit0", *Ip::parse("10.7.0.1"), 24);
    add_address("adit0", *Ip::parse("fd07::1"), 64);
    set_up("adit0");
  }

  Packet udp_packet(const Endpoint& source, const Endpoint& destination, const std::vector<uint8_t>& payload) {
    Packet packet = pool_.take();
    std::ranges::copy(payload, packet.push_back(payload.size()).begin());
    push_udp(packet, source, destination, 0);
    return packet;
  }

  PacketPool pool_{64, kLargest};
  DropCounters drops_;
  Coalescer coalescer_;
  std::optional<Tun> tun_;
};

TEST_F(FreebsdTun, LivesAsLongAsTheObject) {
  EXPECT_EQ(tun_->name(), "adit0");
  EXPECT_NE(if_nametoindex("adit0"), 0u);
  EXPECT_NE(fcntl(tun_->fd(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(fcntl(tun_->fd(), F_GETFL) & O_NONBLOCK, 0);
  tun_.reset();
  EXPECT_EQ(if_nametoindex("adit0"), 0u);
}

TEST_F(FreebsdTun, ANameThatIsTakenIsAnErrorAndLeavesNothingBehind) {
  const size_t before = interfaces();
  EXPECT_NE(create_error("adit0").find("(an interface of this name exists already)"), std::string::npos);
  EXPECT_NE(create_error("lo0").find("(an interface of this name exists already)"), std::string::npos);
  EXPECT_EQ(interfaces(), before);
}

TEST_F(FreebsdTun, WrittenPacketsReachASocketOfTheMachine) {
  for (const auto& [ours, theirs] : {std::pair{"10.7.0.1", "10.7.0.2"}, std::pair{"fd07::1", "fd07::2"}}) {
    const Endpoint local{*Ip::parse(ours), 7000};
    const Fd socket = udp_on(local);
    PacketBatch batch;
    batch.push_back(udp_packet({*Ip::parse(theirs), 9}, local, {1, 2, 3}));
    batch.push_back(udp_packet({*Ip::parse(theirs), 9}, local, {4}));
    tun_->write(batch, coalescer_, drops_);
    EXPECT_TRUE(batch.empty());
    for (const std::vector<uint8_t>& expected : {std::vector<uint8_t>{1, 2, 3}, std::vector<uint8_t>{4}}) {
      ASSERT_TRUE(wait_readable(socket.get())) << ours;
      std::vector<uint8_t> payload(100);
      payload.resize(static_cast<size_t>(::recv(socket.get(), payload.data(), payload.size(), 0)));
      EXPECT_EQ(payload, expected);
    }
  }
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(FreebsdTun, PacketsOfTheMachineAreRead) {
  for (const auto& [ours, theirs] : {std::pair{"10.7.0.1", "10.7.0.2"}, std::pair{"fd07::1", "fd07::2"}}) {
    const Endpoint remote{*Ip::parse(theirs), 7001};
    const Fd socket = udp_on({*Ip::parse(ours), 7000});
    sockaddr_storage address{};
    const socklen_t size = to_sockaddr(remote, address);
    ASSERT_EQ(::sendto(socket.get(), "56", 2, 0, reinterpret_cast<const sockaddr*>(&address), size), 2);
    bool found = false;
    while (!found && wait_readable(tun_->fd())) {
      PacketBatch batch;
      ASSERT_TRUE(tun_->read(pool_, 100, batch, drops_));
      for (const Packet& packet : batch) {
        const auto view = udp_view(packet.bytes());
        found |= view && view->destination == remote && view->payload().size() == 2;
      }
    }
    EXPECT_TRUE(found) << ours;
  }
}

TEST_F(FreebsdTun, RefusedPacketsAreCountedAndTheOthersWritten) {
  const Endpoint local{*Ip::parse("10.7.0.1"), 7000};
  const Fd socket = udp_on(local);
  PacketBatch batch;
  batch.push_back(pool_.take());  // empty
  batch.push_back(pool_.take());
  std::ranges::fill(batch.back().push_back(40), uint8_t{0});  // IP version 0
  batch.push_back(udp_packet({*Ip::parse("10.7.0.2"), 9}, local, {1}));
  tun_->write(batch, coalescer_, drops_);
  EXPECT_EQ(drops_[Drop::kTunError], 2u);
  EXPECT_TRUE(wait_readable(socket.get()));
}

TEST_F(FreebsdTun, InterfaceThatIsDownIsNotGone) {
  Tun tun = Tun::create("adit1");
  PacketBatch batch;
  EXPECT_TRUE(tun.read(pool_, 10, batch, drops_));
  EXPECT_TRUE(batch.empty());
}

TEST_F(FreebsdTun, OneThatWasGivenAwayStaysAndIsTakenOver) {
  Fd copy(::fcntl(tun_->fd(), F_DUPFD_CLOEXEC, 0));
  tun_->give_away();
  tun_.reset();
  ASSERT_NE(if_nametoindex("adit0"), 0u);
  tun_.emplace(Tun::adopt(std::move(copy)));
  EXPECT_EQ(tun_->name(), "adit0");
  tun_.reset();
  EXPECT_EQ(if_nametoindex("adit0"), 0u);
}

TEST_F(FreebsdTun, WhatIsNoTunIsNotTakenOver) {
  EXPECT_THROW(Tun::adopt(Fd(::open("/dev/null", O_RDWR))), std::system_error);
}

}  // namespace
}  // namespace adit
