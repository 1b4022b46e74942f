#include "tunnel/timers.h"

#include <algorithm>
#include <utility>

#include "crypto/random.h"

namespace adit::tunnel {
namespace {

constexpr bool armed(Time timer) noexcept { return timer != kNever; }

/// Whether the timer has passed; if so it is disarmed.
bool fired(Time& timer, Time now) noexcept {
  if (timer > now) return false;
  timer = kNever;
  return true;
}

}  // namespace

Timers::Timers() noexcept : jitter_(crypto::random_u32()) {}

/// So that two peers that start together do not go on together.  Not from the system's generator each time: a timer is
/// set whenever the direction of traffic changes.
Duration Timers::jitter() noexcept {
  return milliseconds(jitter_() % (std::chrono::duration_cast<milliseconds>(kMaxJitter).count() + 1));
}

void Timers::data_sent(Time now) noexcept {
  if (!armed(new_handshake_)) new_handshake_ = now + kKeepaliveTimeout + kRekeyTimeout + jitter();
}

void Timers::data_received(Time now) noexcept {
  if (armed(send_keepalive_)) {
    need_another_keepalive_ = true;
    return;
  }
  send_keepalive_ = now + kKeepaliveTimeout;
}

void Timers::any_authenticated_sent() noexcept { send_keepalive_ = kNever; }

void Timers::any_authenticated_received() noexcept { new_handshake_ = kNever; }

void Timers::any_authenticated_traversal(Time now) noexcept {
  if (persistent_interval_ > seconds(0)) persistent_keepalive_ = now + persistent_interval_;
}

void Timers::initiation_sent(Time now) noexcept { retransmit_handshake_ = now + kRekeyTimeout + jitter(); }

void Timers::handshake_complete() noexcept {
  retransmit_handshake_ = kNever;
  attempts_ = 0;
}

void Timers::session_derived(Time now) noexcept { zero_key_material_ = now + kZeroKeysAfterTime; }

void Timers::set_persistent_keepalive(seconds interval, Time now) noexcept {
  const bool was_off = persistent_interval_ == seconds(0);
  persistent_interval_ = interval;
  if (interval == seconds(0)) persistent_keepalive_ = kNever;
  if (was_off && interval > seconds(0)) persistent_keepalive_ = now;
}

void Timers::hasten_persistent_keepalive(Time now) noexcept {
  if (persistent_interval_ > seconds(0)) persistent_keepalive_ = now;
}

void Timers::stop() noexcept {
  retransmit_handshake_ = send_keepalive_ = new_handshake_ = zero_key_material_ = persistent_keepalive_ = kNever;
  need_another_keepalive_ = false;
}

Timers::Due Timers::due(Time now) noexcept {
  Due due;
  if (fired(retransmit_handshake_, now)) retransmit_or_give_up(now, due);
  if (fired(send_keepalive_, now)) {
    due.send_keepalive = true;
    if (std::exchange(need_another_keepalive_, false)) send_keepalive_ = now + kKeepaliveTimeout;
  }
  if (fired(new_handshake_, now)) {
    due.new_handshake = true;
    attempts_ = 0;
  }
  if (fired(zero_key_material_, now)) due.zero_key_material = true;
  if (fired(persistent_keepalive_, now)) due.send_keepalive = true;
  return due;
}

void Timers::retransmit_or_give_up(Time now, Due& due) noexcept {
  if (attempts_ <= kMaxHandshakeAttempts) {
    ++attempts_;
    due.retransmit_handshake = true;
    initiation_sent(now);  // also when it may not leave yet because we have just sent a response
    return;
  }
  due.give_up_handshake = true;
  send_keepalive_ = kNever;
  if (!armed(zero_key_material_)) zero_key_material_ = now + kZeroKeysAfterTime;
}

Time Timers::deadline() const noexcept {
  return std::min({retransmit_handshake_, send_keepalive_, new_handshake_, zero_key_material_, persistent_keepalive_});
}

}  // namespace adit::tunnel
