#include "net/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "net/interface.h"
#include "net/ip.h"
#include "net/netlink_linux.h"
#include "net/sockaddr.h"
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

/// A plain UDP socket of the machine, on the kernel's side of the tun.
Fd udp_on(const Endpoint& local) {
  Fd fd(check_call("socket", ::socket(local.ip.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(local, address);
  check_call("bind", ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size));
  return fd;
}

void send_to(const Fd& socket, const Endpoint& remote, const std::vector<uint8_t>& payload) {
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(remote, address);
  check_call("sendto", ::sendto(socket.get(), payload.data(), payload.size(), 0,
                                reinterpret_cast<const sockaddr*>(&address), size));
}

void delete_interface(const std::string& name) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(interface_index(name, name));
  NetlinkRequest("delete " + name, RTM_DELLINK, 0, header).send();
}

class TunTest : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    tun_.emplace(Tun::create("adit0"));
    add_address("adit0", *Ip::parse("10.7.0.1"), 24);
    add_address("adit0", *Ip::parse("fd07::1"), 64);
    set_up("adit0");
    ASSERT_TRUE(test::wait_for_address(*Ip::parse("fd07::1")));
  }

  Packet udp_packet(const Endpoint& source, const Endpoint& destination, const std::vector<uint8_t>& payload,
                    uint16_t identification = 0) {
    Packet packet = pool_.take();
    std::ranges::copy(payload, packet.push_back(payload.size()).begin());
    push_udp(packet, source, destination, identification);
    return packet;
  }

  /// Reads until a UDP datagram to this port is there (the kernel also sends packets of its own); empty after a while.
  Packet next_to(uint16_t port) {
    while (!read_.empty() || wait_readable(tun_->fd())) {
      if (read_.empty() && !tun_->read(pool_, 1, read_, drops_)) return {};
      while (!read_.empty()) {
        Packet packet = std::move(read_.front());
        read_.erase(read_.begin());
        const auto view = udp_view(std::as_const(packet).bytes());
        if (view && view->destination.port == port) return packet;
      }
    }
    return {};
  }

  PacketPool pool_{64, kLargest};
  PacketBatch read_;  // and not yet looked at
  DropCounters drops_;
  Coalescer coalescer_;
  std::optional<Tun> tun_;
};

TEST_F(TunTest, CreatesAnInterfaceThatLivesAsLongAsTheObject) {
  EXPECT_EQ(tun_->name(), "adit0");
  EXPECT_NE(if_nametoindex("adit0"), 0u);
  EXPECT_NE(fcntl(tun_->fd(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(fcntl(tun_->fd(), F_GETFL) & O_NONBLOCK, 0);
  tun_.reset();
  EXPECT_EQ(if_nametoindex("adit0"), 0u);
}

TEST_F(TunTest, RefusesANameThatIsTaken) {
  EXPECT_EQ(create_error("adit0"),
            "create tun adit0: Device or resource busy (an interface of this name exists already)");
  EXPECT_EQ(create_error("lo"), "create tun lo: Device or resource busy (an interface of this name exists already)");
}

TEST_F(TunTest, RefusesToTakeOverATunThatSomebodyLeftBehind) {
  ASSERT_EQ(ioctl(tun_->fd(), TUNSETPERSIST, 1), 0);
  tun_.reset();
  ASSERT_NE(if_nametoindex("adit0"), 0u);
  EXPECT_EQ(create_error("adit0"),
            "create tun adit0: Device or resource busy (an interface of this name exists already)");
}

TEST_F(TunTest, RefusesANameThatIsTooLong) {
  EXPECT_EQ(Tun::create("exactly-fifteen").name(), "exactly-fifteen");
  EXPECT_EQ(create_error("sixteen-bytes-oh"),
            "create tun sixteen-bytes-oh: File name too long (an interface name has at most 15 bytes)");
}

TEST_F(TunTest, WithoutPrivilegeItSaysWhatToDo) {
  EXPECT_EXIT(
      {
        test::drop_capabilities();
        std::fputs(create_error("adit1").c_str(), stderr);
        _exit(0);
      },
      testing::ExitedWithCode(0), "create tun adit1: .* .it needs root or CAP_NET_ADMIN; tun = false works without.");
}

TEST_F(TunTest, WithoutTheDeviceItSaysWhatToDo) {
  EXPECT_EXIT(
      {
        check_call("unshare", unshare(CLONE_NEWNS));
        check_call("private", mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
        check_call("hide", mount("none", "/dev/net", "tmpfs", 0, nullptr));
        std::fputs(create_error("adit1").c_str(), stderr);
        _exit(0);
      },
      testing::ExitedWithCode(0), "create tun adit1: .* ./dev/net/tun is missing: modprobe tun.");
}

TEST_F(TunTest, WrittenPacketsReachASocketOfTheMachine) {
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
  EXPECT_EQ(pool_.available(), pool_.slots());
}

TEST_F(TunTest, PacketsOfTheMachineAreRead) {
  for (const auto& [ours, theirs] : {std::pair{"10.7.0.1", "10.7.0.2"}, std::pair{"fd07::1", "fd07::2"}}) {
    const Endpoint remote{*Ip::parse(theirs), 7001};
    const Fd socket = udp_on({*Ip::parse(ours), 7000});
    send_to(socket, remote, {5, 6});
    const Packet packet = next_to(7001);
    ASSERT_TRUE(packet) << ours;
    EXPECT_EQ(packet.headroom(), kHeadroom);
    const auto view = udp_view(packet.bytes());
    EXPECT_EQ(view->source, (Endpoint{*Ip::parse(ours), 7000}));
    EXPECT_EQ(view->destination, remote);
    EXPECT_TRUE(std::ranges::equal(view->payload(), std::vector<uint8_t>{5, 6}));
  }
}

TEST_F(TunTest, ReadKeepsToItsLimitAndAppends) {
  const Fd socket = udp_on({*Ip::parse("10.7.0.1"), 7000});
  for (uint8_t i = 0; i < 5; ++i) send_to(socket, {*Ip::parse("10.7.0.2"), 7001}, {i});
  PacketBatch batch;
  EXPECT_TRUE(tun_->read(pool_, 2, batch, drops_));
  EXPECT_EQ(batch.size(), 2u);
  EXPECT_TRUE(tun_->read(pool_, 100, batch, drops_));
  EXPECT_GE(batch.size(), 5u);
  EXPECT_EQ(pool_.available() + batch.size(), pool_.slots());
}

TEST_F(TunTest, WithoutBuffersThePacketsStayInTheKernel) {
  const Fd socket = udp_on({*Ip::parse("10.7.0.1"), 7000});
  PacketBatch before;
  EXPECT_TRUE(tun_->read(pool_, 100, before, drops_));  // what the kernel says on its own
  for (uint8_t i = 0; i < 3; ++i) send_to(socket, {*Ip::parse("10.7.0.2"), 7001}, {i});

  PacketPool small(1, kLargest);
  for (uint8_t expected = 0; expected < 3;) {
    PacketBatch batch;
    ASSERT_TRUE(tun_->read(small, 100, batch, drops_));
    ASSERT_EQ(batch.size(), 1u);
    const auto view = udp_view(std::as_const(batch[0]).bytes());
    if (!view || view->destination.port != 7001) continue;
    EXPECT_EQ(view->payload()[0], expected);
    ++expected;
  }
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(TunTest, PacketLargerThanABufferIsCountedAndTheNextOneRead) {
  set_mtu("adit0", 9000);
  const Fd socket = udp_on({*Ip::parse("10.7.0.1"), 7000});
  constexpr size_t kFits = kLargest - 28;
  send_to(socket, {*Ip::parse("10.7.0.2"), 7001}, std::vector<uint8_t>(kFits + 1));
  send_to(socket, {*Ip::parse("10.7.0.2"), 7001}, std::vector<uint8_t>(5000));
  send_to(socket, {*Ip::parse("10.7.0.2"), 7001}, std::vector<uint8_t>(kFits));
  const Packet packet = next_to(7001);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet.size(), kLargest);
  EXPECT_EQ(drops_[Drop::kTruncatedRead], 2u);
}

TEST_F(TunTest, RefusedPacketsAreCountedAndTheOthersWritten) {
  const Endpoint local{*Ip::parse("10.7.0.1"), 7000};
  const Fd socket = udp_on(local);
  PacketBatch batch;
  batch.push_back(pool_.take());  // empty
  batch.push_back(pool_.take());
  std::ranges::fill(batch.back().push_back(40), uint8_t{0});  // IP version 0
  batch.push_back(udp_packet({*Ip::parse("10.7.0.2"), 9}, local, {1}));
  tun_->write(batch, coalescer_, drops_);
  EXPECT_EQ(drops_[Drop::kTunError], 2u);
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(wait_readable(socket.get()));
}

TEST_F(TunTest, InterfaceThatIsDownRefusesPacketsButIsNotGone) {
  Tun tun = Tun::create("adit1");
  PacketBatch batch;
  EXPECT_TRUE(tun.read(pool_, 10, batch, drops_));
  EXPECT_TRUE(batch.empty());
  batch.push_back(udp_packet({*Ip::parse("10.7.0.2"), 9}, {*Ip::parse("10.7.0.1"), 9}, {1}));
  tun.write(batch, coalescer_, drops_);
  EXPECT_EQ(drops_[Drop::kTunError], 1u);
}

TEST_F(TunTest, ReadSaysWhenSomebodyDeletedTheInterface) {
  delete_interface("adit0");
  PacketBatch batch;
  EXPECT_TRUE(wait_readable(tun_->fd())) << "a loop that waits must hear of it";
  EXPECT_FALSE(tun_->read(pool_, 10, batch, drops_));
  batch.push_back(udp_packet({*Ip::parse("10.7.0.2"), 9}, {*Ip::parse("10.7.0.1"), 9}, {1}));
  tun_->write(batch, coalescer_, drops_);
  EXPECT_EQ(drops_[Drop::kTunError], 1u);
}

Fd open_tun(short flags) {
  Fd fd(check_call("open", ::open("/dev/net/tun", O_RDWR)));
  ifreq request{};
  std::string("given0").copy(request.ifr_name, sizeof request.ifr_name);
  request.ifr_flags = flags;
  check_call("TUNSETIFF", ::ioctl(fd.get(), TUNSETIFF, &request));
  return fd;
}

TEST_F(TunTest, ADeviceThatSomebodyElseOpenedIsTakenOver) {
  const Tun tun = Tun::adopt(open_tun(IFF_TUN | IFF_NO_PI));
  EXPECT_EQ(tun.name(), "given0");
  EXPECT_NE(::fcntl(tun.fd(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(tun.fd(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(TunTest, ADeviceWithAVirtioHeaderIsTakenOverWithIt) {
  tun_.emplace(Tun::adopt(open_tun(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)));
  EXPECT_TRUE(tun_->offloads().tso);
  add_address("given0", *Ip::parse("10.6.0.1"), 24);
  set_up("given0");
  const Fd socket = udp_on({*Ip::parse("10.6.0.1"), 7000});
  send_to(socket, {*Ip::parse("10.6.0.2"), 7001}, {5, 6});
  const Packet packet = next_to(7001);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(udp_view(packet.bytes())->checksum_fits());
}

/// 20 datagrams in one system call, which the kernel keeps together where it may.
void send_train(const Fd& socket, const Endpoint& to) {
  const int size = 500;
  ASSERT_EQ(::setsockopt(socket.get(), IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size), 0);
  std::vector<uint8_t> payload(20 * 500 - 100);
  for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<uint8_t>(i / 500);
  send_to(socket, to, payload);
}

TEST_F(TunTest, ASuperPacketIsReadAsThePacketsItStandsFor) {
  for (const char* wanted : {"all", "none"}) {
    tun_.emplace(Tun::create("adit9", parse_offloads(wanted)));
    add_address("adit9", *Ip::parse("10.9.0.1"), 24);
    set_up("adit9");
    send_train(udp_on({*Ip::parse("10.9.0.1"), 7000}), {*Ip::parse("10.9.0.2"), 7001});
    for (uint8_t i = 0; i < 20; ++i) {
      const Packet packet = next_to(7001);
      ASSERT_TRUE(packet) << wanted << int{i};
      const auto view = udp_view(packet.bytes());
      EXPECT_TRUE(view->checksum_fits());
      EXPECT_EQ(view->payload().size(), i < 19 ? 500u : 400u);
      EXPECT_EQ(view->payload()[0], i);
    }
    tun_.reset();
  }
}

TEST_F(TunTest, PacketsThatContinueEachOtherAreWrittenAsOne) {
  if (!tun_->offloads().uso) GTEST_SKIP() << "a kernel without USO";
  const Endpoint local{*Ip::parse("10.7.0.1"), 7000};
  const Fd socket = udp_on(local);
  const int on = 1;
  ASSERT_EQ(::setsockopt(socket.get(), IPPROTO_UDP, UDP_GRO, &on, sizeof on), 0);
  PacketBatch batch;
  for (uint8_t i = 0; i < 20; ++i) {
    batch.push_back(udp_packet({*Ip::parse("10.7.0.2"), 9}, local, std::vector<uint8_t>(500, i), i));
  }
  tun_->write(batch, coalescer_, drops_);
  ASSERT_TRUE(wait_readable(socket.get()));
  std::vector<uint8_t> received(65536);
  EXPECT_EQ(::recv(socket.get(), received.data(), received.size(), 0), 20 * 500);
  EXPECT_EQ(received[9'999], 19);
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(TunTest, WhatDoesNotGiveBareIpPacketsIsNotTakenOver) {
  EXPECT_THROW(Tun::adopt(open_tun(IFF_TAP | IFF_NO_PI)), std::system_error);
  EXPECT_THROW(Tun::adopt(Fd(::open("/dev/null", O_RDWR))), std::system_error);
  EXPECT_THROW(Tun::adopt(Fd(::open("/dev/net/tun", O_RDWR))), std::system_error) << "it has no interface";
}

/// The ports, of those from `first` on, whose datagrams to 10.6.0.2 come by this queue.
std::vector<uint16_t> ports_at(Tun& queue, PacketPool& pool) {
  PacketBatch packets;
  DropCounters drops;
  EXPECT_TRUE(queue.read(pool, pool.slots(), packets, drops));
  std::vector<uint16_t> ports;
  for (const Packet& packet : packets) {
    const auto view = udp_view(packet.bytes());
    if (view && view->destination == Endpoint{*Ip::parse("10.6.0.2"), 7001}) ports.push_back(view->source.port);
  }
  return ports;
}

class Queues : public TunTest {
 protected:
  static constexpr uint16_t kFlows = 32;

  void open(size_t count) {
    queues_ = Tun::create_queues("adit9", count);
    add_address("adit9", *Ip::parse("10.6.0.1"), 24);
    set_up("adit9");
    for (uint16_t i = 0; i < kFlows; ++i) {
      sockets_.push_back(udp_on({*Ip::parse("10.6.0.1"), static_cast<uint16_t>(8000 + i)}));
    }
  }

  /// By queue: the ports of those flows that come there, when each sends.
  std::vector<std::vector<uint16_t>> send_all() {
    for (const Fd& socket : sockets_) send_to(socket, {*Ip::parse("10.6.0.2"), 7001}, {1});
    std::vector<std::vector<uint16_t>> ports;
    for (Tun& queue : queues_) ports.push_back(ports_at(queue, pool_));
    return ports;
  }

  std::vector<Tun> queues_;
  std::vector<Fd> sockets_;
};

TEST_F(Queues, ShareTheFlowsWhereverTheirAnswersAreWritten) {
  open(2);
  ASSERT_EQ(queues_.size(), 2u);
  const auto before = send_all();
  EXPECT_EQ(before[0].size() + before[1].size(), kFlows);
  EXPECT_FALSE(before[0].empty()) << "32 flows had one chance in four billion";
  EXPECT_FALSE(before[1].empty());
  for (Tun& queue : queues_) {
    PacketBatch answers;
    for (uint16_t i = 0; i < kFlows; ++i) {
      const Endpoint to{*Ip::parse("10.6.0.1"), static_cast<uint16_t>(8000 + i)};
      answers.push_back(udp_packet({*Ip::parse("10.6.0.2"), 7001}, to, {2}));
    }
    queue.write(answers, coalescer_, drops_);
    for (const Fd& socket : sockets_) ASSERT_TRUE(wait_readable(socket.get()));
    EXPECT_EQ(drops_.total(), 0u);
    EXPECT_EQ(send_all(), before);
  }
}

TEST_F(Queues, EndWithTheLastOfThem) {
  open(4);
  ASSERT_EQ(queues_.size(), 4u);
  while (queues_.size() > 1) queues_.pop_back();
  EXPECT_EQ(send_all().front().size(), kFlows) << "what is left has it all";
  queues_.clear();
  EXPECT_EQ(if_nametoindex("adit9"), 0u);
}

TEST_F(Queues, AreNoneWhereOneIsWanted) {
  open(1);
  ifreq shown{};
  ASSERT_EQ(::ioctl(queues_.front().fd(), TUNGETIFF, &shown), 0);
  EXPECT_EQ(shown.ifr_flags & IFF_MULTI_QUEUE, 0);
  EXPECT_EQ(queues_.front().entrance(), queues_.front().fd());
}

TEST_F(Queues, AreTakenOverOneByOne) {
  open(2);
  Tun& second = queues_.back();
  const Tun taken = Tun::adopt(Fd(::dup(second.fd())), {}, Fd(::dup(second.entrance())));
  EXPECT_EQ(taken.name(), "adit9");
  EXPECT_NE(taken.entrance(), taken.fd());
  EXPECT_NE(::fcntl(taken.entrance(), F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace adit
