// WireGuard without I/O: inner packets in, datagrams out, and back.  Reads no clock, opens no socket, logs nothing.
//
// How it works.  A Tunnel is one interface: a private key and its peers.  encapsulate() and decapsulate() are the two
// directions of traffic, tick() is time passing; each appends what is to be sent to a list the caller owns.  Packets
// that wait for a handshake are kept (staged) and leave when the session exists.  Every call is bounded by what it was
// given, and nothing that a datagram says can make memory grow: what is kept per peer is fixed.
//
// Files, in the order a packet meets them: encapsulate.cc, handshake.cc, decapsulate.cc; tunnel.cc holds the rest.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "net/datagram.h"
#include "net/drop.h"
#include "tunnel/allowed_ips.h"
#include "tunnel/cookie.h"
#include "tunnel/index_table.h"
#include "tunnel/noise.h"
#include "tunnel/rate_limit.h"
#include "tunnel/schedule.h"

namespace adit::tunnel {

struct PeerSettings {
  crypto::PublicKey public_key;
  crypto::PresharedKey preshared_key;  // all zero: none
  std::optional<Endpoint> endpoint;
  std::vector<Prefix> allowed_ips;
  seconds persistent_keepalive{0};  // 0: off
};

struct PeerStatus {
  crypto::PublicKey public_key;
  std::optional<Endpoint> endpoint;
  std::vector<Prefix> allowed_ips;
  WallTime last_handshake{};  // epoch: never
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
  seconds persistent_keepalive{0};
  unsigned handshake_attempts = 0;  // unanswered so far
};

/// What a person may want to read about in the log.
struct Event {
  enum class Kind : uint8_t { kHandshakeComplete, kHandshakeRetried, kHandshakeGivenUp, kEndpointMoved };
  Kind kind;
  crypto::PublicKey peer;
  std::optional<Endpoint> endpoint;
};

class Tunnel {
 public:
  /// `pool` is where handshake messages and keepalives come from; it outlives the Tunnel.  `mtu` bounds padding
  /// (0: nothing does).
  Tunnel(const crypto::PrivateKey& key, uint16_t mtu, PacketPool& pool);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  /// Adds a peer.  A public key that is there already is a mistake of the caller's.
  void add_peer(const PeerSettings& settings, Now now);
  /// Where to reach a peer from now on, e.g. after a name was looked up.  Unknown keys are ignored.
  void set_endpoint(const crypto::PublicKey& peer, const Endpoint& endpoint, Now now) noexcept;

  /// Inner packets to the peers they belong to.  Takes every packet of `inner` and empties it.
  void encapsulate(PacketBatch& inner, Now now, Datagrams& out) noexcept;
  /// Datagrams from the network: inner packets are appended to `inner`, answers to `replies`.  Empties `outer`.
  void decapsulate(Datagrams& outer, Now now, PacketBatch& inner, Datagrams& replies) noexcept;
  /// Does what timers have become due for.
  void tick(Now now, Datagrams& out) noexcept;
  /// When tick() next has something to do; kNever if not at all.
  [[nodiscard]] Time next_deadline() const noexcept { return schedule_.next_deadline(); }

  [[nodiscard]] const crypto::PublicKey& public_key() const noexcept { return identity_.public_key; }
  [[nodiscard]] std::vector<PeerStatus> peers() const;
  [[nodiscard]] const DropCounters& drops() const noexcept { return drops_; }
  /// Moves out what has happened since the last call.
  [[nodiscard]] std::vector<Event> take_events() noexcept { return std::exchange(events_, {}); }

 private:
  // encapsulate.cc
  void route(Packet packet) noexcept;
  void seal_staged(Peer& peer, Now now, Datagrams& out) noexcept;
  void frame_data(Peer& peer, Keypair& keypair, Packet packet, Datagrams& out) noexcept;
  void rekey_after_sending(Peer& peer, const Keypair& keypair, Now now, Datagrams& out) noexcept;
  void send_keepalive(Peer& peer, Now now, Datagrams& out) noexcept;
  void seal_framed() noexcept;

  // handshake.cc
  void start_handshake(Peer& peer, Now now, Datagrams& out) noexcept;
  void send_initiation(Peer& peer, Now now, Datagrams& out) noexcept;
  void send_response(Peer& peer, Now now, Datagrams& out) noexcept;
  void send_cookie_reply(const Datagram& message, Now now, Datagrams& out) noexcept;
  Drop receive_handshake(const Datagram& datagram, Now now, Datagrams& replies) noexcept;
  Drop receive_initiation(const Datagram& datagram, Now now, Datagrams& replies) noexcept;
  Drop receive_response(const Datagram& datagram, Now now, Datagrams& replies) noexcept;
  Drop receive_cookie_reply(const Datagram& datagram, Now now) noexcept;
  Drop admit_handshake(const Datagram& datagram, Now now, Datagrams& replies) noexcept;
  void begin_session(Peer& peer, Now now) noexcept;
  void handshake_complete(Peer& peer, Now now) noexcept;
  uint32_t renew_index(Peer& peer) noexcept;
  Packet new_message(size_t size) noexcept;

  // decapsulate.cc
  struct Arrival {  // a data message whose session is known; parallel to open_jobs_
    Datagram* datagram;
    Peer* peer;
    Keypair* keypair;
    uint64_t counter;
  };
  Drop classify(Datagram& datagram, Now now, Datagrams& replies) noexcept;
  void collect(Datagram& datagram, Now now) noexcept;
  void accept(Arrival& arrival, bool authentic, Now now, PacketBatch& inner, Datagrams& replies) noexcept;
  void rekey_after_receiving(Peer& peer, Now now, Datagrams& out) noexcept;
  Drop check_inner(const Peer& peer, Packet& packet) const noexcept;
  void learn_endpoint(Peer& peer, const Datagram& from) noexcept;

  // tunnel.cc
  void act_on_timers(Peer& peer, Now now, Datagrams& out) noexcept;
  void forget_keys(Peer& peer) noexcept;
  void give_back(const Keypairs::Ended& ended) noexcept;
  void purge_staged(Peer& peer) noexcept;
  void shed_staged(Peer& peer) noexcept;
  void touch(Peer& peer) noexcept;
  void settle() noexcept;
  void report(Event::Kind kind, const Peer& peer) noexcept;

  Identity identity_;
  uint16_t mtu_;
  PacketPool& pool_;
  std::map<crypto::PublicKey, std::unique_ptr<Peer>> peers_;
  AllowedIps allowed_ips_;
  IndexTable indices_;
  Schedule schedule_;
  CookieChecker cookie_checker_;
  LoadMeter load_meter_;
  RateLimiter rate_limiter_;
  TimestampSource timestamps_;
  DropCounters drops_;
  std::vector<Event> events_;

  // Scratch, kept between calls so that nothing is allocated on the packet path.
  std::vector<Peer*> touched_;
  std::vector<crypto::SealJob> seal_jobs_;
  std::vector<crypto::OpenJob> open_jobs_;
  std::vector<Arrival> arrivals_;
};

}  // namespace adit::tunnel
