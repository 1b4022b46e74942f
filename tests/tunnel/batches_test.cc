// Batches whose encryption is done while the Tunnel is at work on other things, as several threads have it.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

const Message kFromPeer = inner_packet(*Ip::parse("10.0.0.2"), *Ip::parse("10.0.0.1"), 100);
const Message kToPeer = inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), 100);

struct Batches : ::testing::Test {
  void SetUp() override { ASSERT_TRUE(lone.greet(peer)); }

  /// The first step of receiving.
  Incoming begin(const std::vector<Message>& messages) {
    Incoming incoming;
    for (const Message& message : messages) {
      incoming.datagrams.push_back({packet_with(message), lone.endpoint, Local{lone.local, 1}});
    }
    Outgoing replies;
    tunnel.decapsulate(incoming, lone.now, replies);
    return incoming;
  }
  /// The others; how many inner packets came of it.
  size_t finish(Incoming& incoming) {
    incoming.open();
    PacketBatch inner;
    Outgoing replies;
    tunnel.accept(incoming, lone.now, inner, replies);
    EXPECT_TRUE(incoming.datagrams.empty());
    return inner.size();
  }
  /// Framed and not yet encrypted.
  Outgoing frame(size_t packets) {
    PacketBatch inner, unreachable;
    for (size_t i = 0; i < packets; ++i) inner.push_back(packet_with(kToPeer));
    Outgoing out;
    tunnel.encapsulate(inner, lone.now, out, unreachable);
    return out;
  }
  Packet packet_with(const Message& bytes) {
    Packet packet = readers.take();
    std::ranges::copy(bytes, packet.push_back(bytes.size()).begin());
    return packet;
  }
  bool peer_opens(Outgoing& out) {
    bool all = true;
    for (const Datagram& datagram : out.sealed()) {
      const ConstBytes bytes = datagram.packet.bytes();
      all &= peer.open({bytes.begin(), bytes.end()}).has_value();
    }
    return all;
  }

  PacketPool readers{64, 2048};
  LoneTunnel lone;
  Tunnel& tunnel = lone.tunnel;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
};

TEST_F(Batches, OfWhichTwoAreUnderWayAcceptACounterOnce) {
  const Message message = peer.data(kFromPeer);
  Incoming first = begin({message});
  Incoming second = begin({message});
  EXPECT_EQ(finish(second), 1u);
  EXPECT_EQ(finish(first), 0u);
  EXPECT_EQ(lone.drops(Drop::kReplayed), 1u);
}

TEST_F(Batches, AreDroppedWhenTheirSessionHasEnded) {
  Incoming incoming = begin({peer.data(kFromPeer), peer.data(kFromPeer)});
  tunnel.remove_peer(peer.public_key());
  EXPECT_EQ(finish(incoming), 0u);
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 2u);

  PaperPeer next = lone.add_peer({"10.0.0.2/32"});
  ASSERT_TRUE(lone.greet(next));
  incoming = begin({next.data(kFromPeer)});
  tunnel.set_down();
  EXPECT_EQ(finish(incoming), 0u);
}

TEST_F(Batches, OfAPeerThatHasMovedOnToAnotherSessionAreStillItsOwn) {
  Incoming incoming = begin({peer.data(kFromPeer)});
  lone.advance(seconds(1));
  ASSERT_TRUE(lone.greet(peer));
  EXPECT_EQ(finish(incoming), 1u);
}

TEST_F(Batches, AreEncryptedWithTheKeyTheyWereFramedFor) {
  Outgoing out = frame(3);
  tunnel.set_private_key(crypto::generate_private_key(), lone.now);  // nothing more is sent on the session
  EXPECT_TRUE(peer_opens(out));

  PaperPeer next = lone.add_peer({"10.0.0.2/32"});
  ASSERT_TRUE(lone.greet(next));
  std::swap(peer, next);
  out = frame(3);
  tunnel.remove_all_peers();
  EXPECT_TRUE(peer_opens(out));
}

TEST_F(Batches, NeverShareANonce) {
  Outgoing first = frame(3);
  Outgoing second = frame(3);
  EXPECT_TRUE(peer_opens(second));
  EXPECT_TRUE(peer_opens(first));
  std::set<std::string> counters;
  for (Outgoing* out : {&first, &second}) {
    for (const Datagram& datagram : out->sealed()) {
      const auto* counter = reinterpret_cast<const char*>(datagram.packet.data() + 8);
      counters.emplace(counter, counter + 8);
    }
  }
  EXPECT_EQ(counters.size(), 6u);
}

TEST_F(Batches, ThatWaitForAHandshakeLeaveTheirReadersBuffers) {
  (void)lone.add_peer({"10.0.0.9/32"});
  PacketBatch inner, unreachable;
  for (int i = 0; i < 5; ++i) {
    inner.push_back(packet_with(inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.9"), 100)));
  }
  Outgoing out;
  const size_t before = lone.pool.available();
  tunnel.encapsulate(inner, lone.now, out, unreachable);
  EXPECT_EQ(readers.available(), readers.slots());
  EXPECT_EQ(lone.pool.available(), before - 6) << "five that wait, and the initiation";
}

TEST_F(Batches, AreSealedAndOpenedByThreadsWhileTheTunnelWorksForAnother) {
  constexpr int kRounds = 200;
  std::mutex mutex;
  std::thread sender([&] {
    PacketPool pool(64, 2048);
    for (int round = 0; round < kRounds; ++round) {
      PacketBatch inner, unreachable;
      for (int i = 0; i < 8; ++i) {
        Packet packet = pool.take();
        std::ranges::copy(kToPeer, packet.push_back(kToPeer.size()).begin());
        inner.push_back(std::move(packet));
      }
      Outgoing out;
      {
        const std::lock_guard lock(mutex);
        tunnel.encapsulate(inner, lone.now, out, unreachable);
      }
      EXPECT_EQ(out.sealed().size(), 8u);
    }
  });
  size_t received = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::unique_lock lock(mutex);
    Incoming incoming = begin({peer.data(kFromPeer), peer.data(kFromPeer)});
    lock.unlock();
    incoming.open();
    lock.lock();
    PacketBatch inner;
    Outgoing replies;
    tunnel.accept(incoming, lone.now, inner, replies);
    received += inner.size();
  }
  sender.join();
  EXPECT_EQ(received, size_t{2 * kRounds});
}

}  // namespace
}  // namespace adit::tunnel
