#include "tunnel/keypair.h"

#include <cstdlib>
#include <utility>

namespace adit::tunnel {
namespace {

uint32_t index_of(const Keypairs::Slot& slot) noexcept { return slot ? slot->local_index : 0; }

}  // namespace

uint64_t Keypair::take_nonce() noexcept {
  if (send_counter >= kRejectAfterMessages) std::abort();
  return send_counter++;
}

Keypairs::Ended Keypairs::add_as_initiator(Slot fresh) noexcept {
  Slot current = std::exchange(current_, std::move(fresh));
  if (!next_) {
    const Slot oldest = std::exchange(previous_, std::move(current));
    return {index_of(oldest)};
  }
  previous_ = std::move(next_);
  return {index_of(current)};
}

Keypairs::Ended Keypairs::add_as_responder(Slot fresh) noexcept {
  const Slot unused = std::exchange(next_, std::move(fresh));
  const Slot oldest = std::exchange(previous_, nullptr);
  return {index_of(unused), index_of(oldest)};
}

bool Keypairs::received_with(const Keypair* keypair) noexcept {
  if (!next_ || keypair != next_.get()) return false;
  previous_ = std::exchange(current_, std::move(next_));
  return true;
}

void Keypairs::stop_sending() noexcept {
  for (const Slot* slot : {&current_, &next_}) {
    if (*slot) (*slot)->stop_sending();
  }
}

Keypairs::Ended Keypairs::clear() noexcept {
  const Ended ended = {index_of(previous_), index_of(current_), index_of(next_)};
  for (Slot* slot : {&previous_, &current_, &next_}) slot->reset();
  return ended;
}

Keypair* Keypairs::find(uint32_t local_index) const noexcept {
  for (const Slot* slot : {&current_, &next_, &previous_}) {
    if (*slot && (*slot)->local_index == local_index) return slot->get();
  }
  return nullptr;
}

}  // namespace adit::tunnel
