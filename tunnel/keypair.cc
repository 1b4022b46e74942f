#include "tunnel/keypair.h"

#include <cstdlib>
#include <utility>

namespace adit::tunnel {

uint64_t Keypair::take_nonce() noexcept {
  if (send_counter >= kRejectAfterMessages) std::abort();
  return send_counter++;
}

Keypairs::Displaced Keypairs::add_as_initiator(Slot fresh) noexcept {
  Slot current = std::exchange(current_, std::move(fresh));
  if (next_) return {std::exchange(previous_, std::move(next_)), std::move(current)};
  return {std::exchange(previous_, std::move(current)), nullptr};
}

Keypairs::Displaced Keypairs::add_as_responder(Slot fresh) noexcept {
  return {std::exchange(next_, std::move(fresh)), std::exchange(previous_, nullptr)};
}

bool Keypairs::received_with(const Keypair* keypair, Slot& displaced) noexcept {
  if (!next_ || keypair != next_.get()) return false;
  displaced = std::exchange(previous_, std::exchange(current_, std::move(next_)));
  return true;
}

Keypair* Keypairs::find(uint32_t local_index) const noexcept {
  for (const Slot* slot : {&current_, &next_, &previous_}) {
    if (*slot && (*slot)->local_index == local_index) return slot->get();
  }
  return nullptr;
}

}  // namespace adit::tunnel
