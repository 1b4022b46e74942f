// The timer rules of WireGuard (paper 6): five timers, fed by eight events.
//
//   retransmit_handshake   an initiation was sent and not answered: send another
//   send_keepalive         data was received and nothing sent since: confirm with a keepalive
//   new_handshake          data was sent and nothing received since: the session may be dead
//   zero_key_material      no new session for long: forget all keys
//   persistent_keepalive   the user wants a packet at least this often (NAT)
//
// Callers say what happened; nobody else computes a deadline.  How it works: a timer is a deadline, kNever when it is
// not armed; due() tells which have passed, disarms them and leaves the deed to the caller.
#pragma once

#include <random>

#include "tunnel/messages.h"

namespace adit::tunnel {

class Timers {
 public:
  Timers() noexcept;

  // Events, once per batch and peer.
  /// A data packet that was not a keepalive was sent.
  void data_sent(Time now) noexcept;
  /// A data packet that was not a keepalive was received and authenticated.
  void data_received(Time now) noexcept;
  /// Before any authenticated message is sent: initiation, response, data or keepalive.
  void any_authenticated_sent() noexcept;
  /// After any message was authenticated: initiation, response, data or keepalive.
  void any_authenticated_received() noexcept;
  /// Before sending or after receiving any of those.
  void any_authenticated_traversal(Time now) noexcept;
  void initiation_sent(Time now) noexcept;
  /// A response was accepted, or a session we answered was used by the peer.
  void handshake_complete() noexcept;
  /// Session keys exist: a response was sent or accepted.
  void session_derived(Time now) noexcept;

  /// Seconds between keepalives, 0 for none.  The first is due at once.
  void set_persistent_keepalive(seconds interval, Time now) noexcept;
  [[nodiscard]] seconds persistent_keepalive() const noexcept { return persistent_interval_; }
  /// The peer can be reached now: a keepalive that could not be sent is due.
  void hasten_persistent_keepalive(Time now) noexcept;
  /// Disarms everything: the interface went down or the peer is going.
  void stop() noexcept;
  /// A handshake asked for anew, by a packet or a timer, has all its attempts before it.
  void restart_attempts() noexcept { attempts_ = 0; }
  [[nodiscard]] unsigned attempts() const noexcept { return attempts_; }

  /// What is to be done now.
  struct Due {
    bool retransmit_handshake = false;
    bool give_up_handshake = false;  // the last attempt failed: purge what waits for it
    bool send_keepalive = false;     // passive or persistent
    bool new_handshake = false;
    bool zero_key_material = false;
  };
  Due due(Time now) noexcept;
  /// When due() next has something to say.
  [[nodiscard]] Time deadline() const noexcept;

 private:
  void retransmit_or_give_up(Time now, Due& due) noexcept;
  Duration jitter() noexcept;

  Time retransmit_handshake_ = kNever;
  Time send_keepalive_ = kNever;
  Time new_handshake_ = kNever;
  Time zero_key_material_ = kNever;
  Time persistent_keepalive_ = kNever;
  seconds persistent_interval_{0};
  unsigned attempts_ = 0;
  bool need_another_keepalive_ = false;
  std::minstd_rand jitter_;
};

}  // namespace adit::tunnel
