// Our session indices: random 32-bit names under which peers address a handshake or a session of ours.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "crypto/random.h"

namespace adit::tunnel {

class Peer;

/// An index is taken when a handshake begins, stays with the session it leads to, and is given back with it.
class IndexTable {
 public:
  /// A fresh index for `peer`; never 0, never one in use, and not to be guessed.
  uint32_t take(Peer* peer) {
    for (;;) {
      const uint32_t index = crypto::random_u32();
      if (index != 0 && peers_.emplace(index, peer).second) return index;
    }
  }
  void give_back(uint32_t index) noexcept { peers_.erase(index); }
  /// nullptr when nobody has the index.
  [[nodiscard]] Peer* find(uint32_t index) const noexcept {
    const auto found = peers_.find(index);
    return found == peers_.end() ? nullptr : found->second;
  }
  [[nodiscard]] size_t size() const noexcept { return peers_.size(); }

 private:
  std::unordered_map<uint32_t, Peer*> peers_;
};

}  // namespace adit::tunnel
