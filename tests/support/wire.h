// Two Tunnels joined by a wire that a test can cut, shake and read; time passes only when the test says so.
//
//     Wire wire;
//     wire.send(wire.a, 100);          // an inner packet of 100 bytes from a to b: handshake, then data
//     EXPECT_EQ(wire.b.received.size(), 1u);
//     wire.advance(seconds(120));      // every timer on the way acts at its own time
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "tunnel/tunnel.h"

namespace adit::tunnel {

struct Side {
  Side(const char* side_name, const Endpoint& outer, const Ip& inner) : name(side_name), endpoint(outer), ip(inner) {}

  const char* name;
  Endpoint endpoint;  // where its datagrams come from; change it to roam
  Ip ip;              // its inner address
  crypto::PrivateKey key = crypto::generate_private_key();
  PacketPool pool{1024, 1888};
  std::unique_ptr<Tunnel> tunnel;
  std::vector<std::vector<uint8_t>> received;  // inner packets that came out
  std::vector<Event> events;

  [[nodiscard]] uint64_t drops(Drop reason) const { return tunnel->drops()[reason]; }
};

struct WireOptions {
  crypto::PresharedKey psk_a{}, psk_b{};  // equal unless a test wants otherwise
  bool a_knows_b = true;                  // has its endpoint
  bool b_knows_a = false;
  seconds keepalive_a{0}, keepalive_b{0};
  uint16_t mtu = 1420;
};

class Wire {
 public:
  /// One datagram that was sent, whether or not it arrived.
  struct Sent {
    Time at;
    const Side* from;
    MessageType type;
    std::vector<uint8_t> bytes;
  };
  /// What happens to a datagram: arrives this many times (0: lost).
  using Fate = std::function<int(const Sent&)>;

  explicit Wire(WireOptions options = {});

  /// An inner packet of `size` bytes (at least an IPv4 header) from one side to the other, and all that follows.
  void send(Side& from, size_t size);
  /// The same with an inner packet of the caller's.
  void send_bytes(Side& from, ConstBytes packet);
  /// A datagram from anywhere, not recorded as sent.
  void inject(Side& to, const Endpoint& from, ConstBytes bytes);
  /// Lets time pass; timers act at their own times on the way.
  void advance(Duration duration);
  /// Moves the clocks without letting timers act in between (suspend), or only the wall clock.
  void jump(Duration mono, Duration wall);

  void lose(int count);  // the next datagrams never arrive
  void set_fate(Fate fate) { fate_ = std::move(fate); }
  void hold() { held_ = true; }   // datagrams wait
  void release();                 // and arrive
  void swap(size_t i, size_t j);  // of those that wait
  [[nodiscard]] size_t waiting() const { return in_flight_.size(); }

  [[nodiscard]] std::vector<Sent> sent(const Side& from, MessageType type) const;
  [[nodiscard]] size_t count(const Side& from, MessageType type) const { return sent(from, type).size(); }
  [[nodiscard]] size_t keepalives(const Side& from) const;
  [[nodiscard]] Side& other(const Side& side) { return &side == &a ? b : a; }
  [[nodiscard]] PeerStatus status_of(const Side& peer);  // as the other side sees it
  void forget() { log.clear(); }

  Now now;
  Side a, b;
  std::vector<Sent> log;

 private:
  void make_tunnel(Side& side, const Side& peer, const crypto::PresharedKey& psk, bool knows, seconds keepalive,
                   uint16_t mtu);
  void take(Side& from, Outgoing& out);
  void pump();
  void arrive(const Sent& sent);

  Fate fate_;
  int to_lose_ = 0;
  bool held_ = false;
  std::deque<Sent> in_flight_;
};

/// An IPv4 or IPv6 packet of `size` bytes with a payload that tells packets apart.
std::vector<uint8_t> inner_packet(const Ip& source, const Ip& destination, size_t size);

}  // namespace adit::tunnel
