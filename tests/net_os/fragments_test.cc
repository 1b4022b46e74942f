// What the kernel cuts we put together, and what we cut the kernel does.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>

#include "net/fragment.h"
#include "net/interface.h"
#include "net/ip.h"
#include "net/reassembly.h"
#include "net/sockaddr.h"
#include "net/tun.h"
#include "tests/support/netns.h"

namespace adit {
namespace {

constexpr std::pair<const char*, const char*> kOursAndTheirs[] = {{"10.7.0.1", "10.7.0.2"}, {"fd07::1", "fd07::2"}};
constexpr size_t kMtu = 1420;

std::vector<uint8_t> bytes(size_t size) {
  std::vector<uint8_t> content(size);
  for (size_t i = 0; i < size; ++i) content[i] = static_cast<uint8_t>(i * 7 + i / 256 * 3);
  return content;
}

class FragmentsTest : public test::NetnsTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    tun_.emplace(Tun::create("adit0", parse_offloads(GetParam())));
    add_address("adit0", *Ip::parse("10.7.0.1"), 24);
    add_address("adit0", *Ip::parse("fd07::1"), 64);
    set_mtu("adit0", kMtu);
    set_up("adit0");
    ASSERT_TRUE(test::wait_for_address(*Ip::parse("fd07::1")));
  }

  /// A socket of the machine, on the kernel's side of the tun.
  static Fd udp_on(const Endpoint& local) {
    Fd fd(check_call("socket", ::socket(local.ip.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
    test::give_room(fd.get());
    sockaddr_storage address{};
    const socklen_t size = to_sockaddr(local, address);
    check_call("bind", ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size));
    return fd;
  }

  /// The next datagram that comes out of the tun in fragments.
  Packet next_whole() {
    while (!read_.empty() || test::wait_readable(tun_->fd())) {
      if (read_.empty() && !tun_->read(pool_, kBatchSize, read_, drops_)) return {};
      while (!read_.empty()) {
        Packet packet = std::move(read_.front());
        read_.erase(read_.begin());
        EXPECT_LE(packet.size(), kMtu);
        if (reassembler_.take(packet, Time{}, drops_) == Taken::kWhole) return packet;
      }
    }
    return {};
  }

  PacketPool pool_{256, 2048};
  PacketPool large_{1, 65575};
  PacketBatch read_;
  DropCounters drops_;
  Coalescer coalescer_;
  Reassembler reassembler_{{}};
  std::optional<Tun> tun_;
};

TEST_P(FragmentsTest, WhatTheKernelCutsIsPutTogether) {
  for (const auto& [ours, theirs] : kOursAndTheirs) {
    const Endpoint remote{*Ip::parse(theirs), 7001};
    const Fd socket = udp_on({*Ip::parse(ours), 7000});
    sockaddr_storage address{};
    const socklen_t address_size = to_sockaddr(remote, address);
    for (const size_t size : {size_t{1500}, size_t{9000}, size_t{65507}}) {
      const std::vector<uint8_t> payload = bytes(size);
      check_call("sendto", ::sendto(socket.get(), payload.data(), payload.size(), 0,
                                    reinterpret_cast<const sockaddr*>(&address), address_size));
      const Packet whole = next_whole();
      ASSERT_TRUE(whole) << ours << " " << size;
      const auto view = udp_view(whole.bytes());
      ASSERT_TRUE(view);
      EXPECT_EQ(view->source, (Endpoint{*Ip::parse(ours), 7000}));
      EXPECT_EQ(view->destination, remote);
      EXPECT_TRUE(view->checksum_fits());
      EXPECT_TRUE(std::ranges::equal(view->payload(), payload));
    }
  }
  EXPECT_EQ(drops_.total(), 0u);
  EXPECT_EQ(reassembler_.under_way(), 0u);
}

TEST_P(FragmentsTest, WhatWeCutTheKernelPutsTogether) {
  for (const auto& [ours, theirs] : kOursAndTheirs) {
    const Endpoint local{*Ip::parse(ours), 7000};
    const Fd socket = udp_on(local);
    uint16_t identification = 100;
    for (const size_t size : {size_t{1500}, size_t{9000}, size_t{65507}}) {
      for (const size_t mtu : {kMtu, size_t{1280}, size_t{576}}) {
        const std::vector<uint8_t> payload = bytes(size);
        Packet packet = large_.take();
        copy_bytes(payload, packet.push_back(size).data());
        push_udp(packet, {*Ip::parse(theirs), 7001}, local, ++identification);
        PacketBatch fragments;
        ASSERT_EQ(fragment(std::move(packet), mtu, identification, pool_, fragments), Drop::kNone);
        ASSERT_GT(fragments.size(), 1u);
        tun_->write(fragments, coalescer_, drops_);
        ASSERT_TRUE(test::wait_readable(socket.get())) << ours << " " << size << " " << mtu;
        std::vector<uint8_t> received(65536);
        received.resize(static_cast<size_t>(::recv(socket.get(), received.data(), received.size(), 0)));
        EXPECT_TRUE(received == payload) << ours << " " << size << " " << mtu;
      }
    }
  }
  EXPECT_EQ(drops_.total(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Offloads, FragmentsTest, ::testing::Values("all", "none"));

}  // namespace
}  // namespace adit
