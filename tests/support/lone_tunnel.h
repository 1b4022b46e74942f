// One Tunnel alone, fed with bytes: the other end is whatever a test makes up, usually PaperPeers.
#pragma once

#include <initializer_list>
#include <optional>
#include <vector>

#include "tests/support/paper_peer.h"
#include "tunnel/tunnel.h"

namespace adit::tunnel {

struct LoneTunnel {
  explicit LoneTunnel(uint16_t mtu = 1420) : tunnel(key, mtu, pool) {}

  /// A peer of this tunnel; its endpoint is `endpoint` unless it is to have none.
  PaperPeer add_peer(std::initializer_list<const char*> allowed_ips, const PaperPeer::Key& preshared = {},
                     bool has_endpoint = true);

  /// Datagrams in one batch, from `endpoint` unless said otherwise; what comes of them is in `inner` and `replies`.
  void receive(const std::vector<Message>& batch, const std::optional<Endpoint>& from = {});
  void receive(const Message& message, const std::optional<Endpoint>& from = {}) {
    receive(std::vector<Message>{message}, from);
  }
  /// Inner packets in one batch; what is sent is in `replies`.
  void send(const std::vector<Message>& batch);
  void up();  // what is sent is in `replies`
  void send_staged(const PaperPeer& peer);
  /// Timers up to now + duration, each at its time; what is sent is in `replies`.
  void advance(Duration duration);

  /// The peer begins a handshake, gets its response, and (unless told not to) confirms with a keepalive.
  [[nodiscard]] bool greet(PaperPeer& peer, bool confirm = true);
  /// The tunnel begins a handshake, because of `inner`, and the peer answers.
  [[nodiscard]] bool answer(PaperPeer& peer, const Message& packet);

  [[nodiscard]] uint64_t drops(Drop reason) const { return tunnel.drops()[reason]; }
  [[nodiscard]] PeerStatus status(const PaperPeer& peer) const;
  [[nodiscard]] size_t replies_of(MessageType type) const;

  Endpoint endpoint = *Endpoint::parse("198.51.100.7:4000");
  Ip local = *Ip::parse("192.0.2.1");
  uint32_t interface = 1;  // that datagrams come in by
  uint8_t tos = 0;         // that datagrams arrive with
  crypto::PrivateKey key = crypto::generate_private_key();
  PacketPool pool{1024, 2048};
  Tunnel tunnel;
  Now now{Time(seconds(1000)), WallTime(seconds(1'700'000'000))};
  std::vector<Message> inner;        // of the last call
  std::vector<Message> replies;      // of the last call
  std::vector<Message> unreachable;  // ICMP errors of the last send()
  Datagrams sent;                    // the same with addresses, for tests that ask

 private:
  void keep_replies(Outgoing& out);
  Packet packet_with(ConstBytes bytes);
};

}  // namespace adit::tunnel
