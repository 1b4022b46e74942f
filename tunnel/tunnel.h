// WireGuard without I/O: inner packets in, datagrams out, and back.  Reads no clock, opens no socket, logs nothing.
//
// How it works.  A Tunnel is one interface: a private key and its peers.  encapsulate() and decapsulate() with accept()
// are the two directions of traffic, tick() is time passing; each appends what is to be sent to a list the caller owns.
// Packets that wait for a handshake are kept (staged) and leave when the session exists.  Every call is bounded by what
// it was given, and nothing that a datagram says can make memory grow: what is kept per peer is fixed.
//
// Encryption of data happens outside: Outgoing and Incoming carry it.  So of several threads each may encrypt and
// decrypt its own batches, while one at a time calls the Tunnel.
//
// Everything may be changed at any time between two calls.  No call takes longer because there are more peers or
// allowed IPs than it is about, but for a logarithm.
//
// Files, in the order a packet meets them: ahead.cc, encapsulate.cc, handshake.cc, decapsulate.cc; configure.cc holds
// what is set and shown, tunnel.cc the rest.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "net/datagram.h"
#include "net/drop.h"
#include "tunnel/allowed_ips.h"
#include "tunnel/cookie.h"
#include "tunnel/incoming.h"
#include "tunnel/index_table.h"
#include "tunnel/noise.h"
#include "tunnel/outgoing.h"
#include "tunnel/rate_limit.h"
#include "tunnel/schedule.h"
#include "tunnel/trouble.h"

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
  crypto::PresharedKey preshared_key;  // all zero: none
  std::optional<Endpoint> endpoint;
  std::vector<Prefix> allowed_ips;  // in the order they were given
  WallTime last_handshake{};        // epoch: never
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
  seconds persistent_keepalive{0};
  unsigned handshake_attempts = 0;  // unanswered so far
  PeerTrouble trouble;
};

/// How a peer is answered: from the address it sent to, while the route leaves by the interface it came in by.
struct Way {
  crypto::PublicKey peer;
  Endpoint remote;
  Local local;
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
  /// `pool` is where handshake messages and keepalives come from, and where packets wait; it outlives the Tunnel. `mtu`
  /// bounds padding (0: nothing does).  An all-zero key means none: no handshakes, either way.
  Tunnel(const crypto::PrivateKey& key, uint16_t mtu, PacketPool& pool);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  /// Another private key; all zero: none from now on.  A peer that has the new public key is removed, it is ourselves.
  /// What the peers have sent on their sessions is still received; the next packet to each begins a handshake at once.
  void set_private_key(const crypto::PrivateKey& key, Now now) noexcept;
  void set_mtu(uint16_t mtu) noexcept { mtu_ = mtu; }

  /// A new Tunnel is up.  While it is down packets and datagrams are dropped and no timer acts.
  void set_up(Now now, Outgoing& out) noexcept;
  /// Forgets sessions, handshakes and packets that wait.  What guards against replays and floods is kept.
  void set_down() noexcept;
  [[nodiscard]] bool is_up() const noexcept { return up_; }

  /// Adds a peer.  A public key that is there already is a mistake of the caller's, and so is our own.
  void add_peer(const PeerSettings& settings, Now now);
  [[nodiscard]] bool has_peer(const crypto::PublicKey& peer) const noexcept { return peers_.contains(peer); }
  /// Nothing is left of the peer: neither keys nor packets that wait.
  void remove_peer(const crypto::PublicKey& peer) noexcept;
  void remove_all_peers() noexcept;

  // One peer's settings.  Unknown public keys are ignored.
  /// For handshakes from now on.
  void set_preshared_key(const crypto::PublicKey& peer, const crypto::PresharedKey& key) noexcept;
  /// Where to reach a peer from now on, e.g. after a name was looked up.
  void set_endpoint(const crypto::PublicKey& peer, const Endpoint& endpoint, Now now) noexcept;
  /// 0 is off.  Where it was off the first keepalive is due at once.
  void set_persistent_keepalive(const crypto::PublicKey& peer, seconds interval, Now now) noexcept;
  /// A prefix that another peer has moves over.
  void allow_ip(const crypto::PublicKey& peer, const Prefix& prefix);
  /// Nothing happens unless this very peer has this very prefix.
  void disallow_ip(const crypto::PublicKey& peer, const Prefix& prefix) noexcept;
  void disallow_all_ips(const crypto::PublicKey& peer) noexcept;
  /// Tries what waits for the peer again, now that it has been set up otherwise.
  void send_staged(const crypto::PublicKey& peer, Now now, Outgoing& out) noexcept;
  /// Begins a handshake unless one is under way: for a peer that may have a session with whom we were before.
  void greet(const crypto::PublicKey& peer, Now now, Outgoing& out) noexcept;
  /// The sockets are others: the kernel shall choose anew from which address each peer is answered.
  void forget_local_addresses() noexcept;
  /// Of each peer that has been heard from, and the closed ones, which may have opened.
  [[nodiscard]] std::vector<Way> ways() const;
  /// Whether the way's route leaves by its interface.  While it does not, the kernel chooses from which address that
  /// peer is answered, unless it moves or sends to another address of ours.  A way that is no longer the peer's is
  /// ignored.
  void open_way(const Way& way, bool open) noexcept;

  /// Inner packets to the peers they belong to.  Takes every packet of `inner` and empties it.  For packets that no
  /// peer takes, or whose peer nobody knows how to reach, ICMP errors for their sender are appended to `unreachable`.
  void encapsulate(PacketBatch& inner, Now now, Outgoing& out, PacketBatch& unreachable) noexcept;
  /// Datagrams from the network, the first step: handshakes are answered in `replies`, data finds its session.  Then
  /// incoming.open() and accept() must follow.
  void decapsulate(Incoming& incoming, Now now, Outgoing& replies) noexcept;
  /// The third step: inner packets of what is authentic are appended to `inner`.  Empties `incoming`.
  void accept(Incoming& incoming, Now now, PacketBatch& inner, Outgoing& replies) noexcept;
  /// Does what timers have become due for; when very many have at once, a part of it, and next_deadline() stays in the
  /// past.
  void tick(Now now, Outgoing& out) noexcept;
  /// When tick() wants to be called, which may be before it has something to do; kNever if not at all.
  [[nodiscard]] Time next_deadline() const noexcept { return up_ ? schedule_.next_deadline() : kNever; }

  /// Clamped; all zero when there is none, and then the public key is, too.
  [[nodiscard]] const crypto::PrivateKey& private_key() const noexcept { return identity_.private_key; }
  [[nodiscard]] const crypto::PublicKey& public_key() const noexcept { return identity_.public_key; }
  /// In the order they were added.
  [[nodiscard]] std::vector<PeerStatus> peers() const;
  /// The last of each kind there was.  Whom one was looking for is found out once, which costs a hash for each peer.
  [[nodiscard]] std::vector<Stranger> strangers();
  [[nodiscard]] const DropCounters& drops() const noexcept { return drops_; }
  /// Moves out what has happened since the last call.
  [[nodiscard]] std::vector<Event> take_events() noexcept { return std::exchange(events_, {}); }
  [[nodiscard]] bool has_events() const noexcept { return !events_.empty(); }

 private:
  // ahead.cc
  void find_routes(const PacketBatch& inner) noexcept;
  void find_sessions(const Datagrams& outer) noexcept;
  void find_owners(const Incoming& incoming) noexcept;

  // encapsulate.cc
  Drop route(Packet& packet, Peer* peer) noexcept;
  [[nodiscard]] bool is_own_message(const Peer& peer, ConstBytes packet) const noexcept;
  void refuse(Packet packet, Now now, PacketBatch& unreachable) noexcept;
  void send_staged(Peer& peer, Now now, Outgoing& out) noexcept;
  void frame_data(Peer& peer, Keypair& keypair, Packet packet, const crypto::SymmetricKey* kept,
                  Outgoing& out) noexcept;
  void rekey_after_sending(Peer& peer, const Keypair& keypair, Now now, Outgoing& out) noexcept;
  void send_keepalive(Peer& peer, Now now, Outgoing& out) noexcept;

  // handshake.cc
  void start_handshake(Peer& peer, Now now, Outgoing& out) noexcept;
  void send_initiation(Peer& peer, Now now, Outgoing& out) noexcept;
  void send_response(Peer& peer, Now now, Outgoing& out) noexcept;
  void send_cookie_reply(const Datagram& message, Now now, Outgoing& out) noexcept;
  Drop receive_handshake(const Datagram& datagram, Now now, Outgoing& replies) noexcept;
  Drop receive_initiation(const Datagram& datagram, Now now, Outgoing& replies) noexcept;
  Drop receive_response(const Datagram& datagram, Now now, Outgoing& replies) noexcept;
  Drop receive_cookie_reply(const Datagram& datagram, Now now) noexcept;
  Drop admit_handshake(const Datagram& datagram, Now now, Outgoing& replies) noexcept;
  void begin_session(Peer& peer, Now now) noexcept;
  void handshake_complete(Peer& peer, Now now) noexcept;
  static void note_old_initiation(Peer& peer, Now now) noexcept;
  uint32_t renew_index(Peer& peer) noexcept;
  Packet new_message(size_t size) noexcept;

  // decapsulate.cc
  Drop classify(Datagram& datagram, Now now, Outgoing& replies) noexcept;
  void collect(Datagram& datagram, const Peer* peer, Now now, Incoming& incoming) noexcept;
  void accept(const Incoming::Arrival& arrival, const Peer* owner, bool authentic, Now now, PacketBatch& inner,
              Outgoing& replies) noexcept;
  void rekey_after_receiving(Peer& peer, Now now, Outgoing& out) noexcept;
  static Drop check_inner(bool may_be_source, Packet& packet, uint8_t outer_tos) noexcept;
  void learn_endpoint(Peer& peer, const Datagram& from) noexcept;

  // configure.cc
  [[nodiscard]] Peer* find_peer(const crypto::PublicKey& key) const noexcept;
  void remove(Peer& peer) noexcept;
  void find_addressee() noexcept;

  // tunnel.cc
  void act_on_timers(Peer& peer, Now now, Outgoing& out) noexcept;
  void forget_keys(Peer& peer) noexcept;
  void give_back(const Keypairs::Ended& ended) noexcept;
  void purge_staged(Peer& peer) noexcept;
  void keep_staged(Peer& peer) noexcept;
  void shed_staged(Peer& peer, size_t count) noexcept;
  void touch(Peer& peer) noexcept;
  void settle() noexcept;
  void report(Event::Kind kind, const Peer& peer) noexcept;

  Identity identity_;
  uint16_t mtu_;
  bool up_ = true;
  PacketPool& pool_;
  std::map<crypto::PublicKey, std::unique_ptr<Peer>> peers_;
  uint64_t peers_added_ = 0;  // ever
  uint64_t sessions_begun_ = 0;
  AllowedIps allowed_ips_;
  IndexTable indices_;
  Schedule schedule_;
  CookieChecker cookie_checker_;
  LoadMeter load_meter_;
  RateLimiter rate_limiter_;
  CookieLimit cookie_limit_;
  ErrorLimit error_limit_;
  TimestampSource timestamps_;
  DropCounters drops_;
  std::vector<Event> events_;
  /// An initiation with a wrong mac1; as it came, since whose it would have been is only asked when somebody looks.
  struct Misdirected {
    WallTime at;
    Endpoint from;
    InitiationMessage message;
    uint64_t sought_among = 0;  // peers_added_ when it was last asked
    std::optional<crypto::PublicKey> addressee = {};
  };
  std::optional<Misdirected> misdirected_;
  std::optional<Stranger> unknown_peer_;

  // Scratch, kept between calls so that nothing is allocated on the packet path.  Empty between calls: nothing here
  // outlives a peer.
  std::vector<Peer*> touched_;
  std::vector<Ip> addresses_;
  std::vector<Peer*> found_;  // whose packets or datagrams are; nullptr: nobody's
};

}  // namespace adit::tunnel
