// Session keys for the time of one batch: its encryption then needs nothing that is the Tunnel's, and may be done while
// the Tunnel is at work on other things or has ended the session.
#pragma once

#include <memory>
#include <vector>

#include "crypto/keys.h"

namespace adit::tunnel {

class KeyCopies {
 public:
  /// The copy stays where it is until wipe().
  const crypto::SymmetricKey* add(const crypto::SymmetricKey& key) {
    if (used_ == keys_.size()) keys_.push_back(std::make_unique<crypto::SymmetricKey>());
    *keys_[used_] = key;
    return keys_[used_++].get();
  }
  void wipe() noexcept {
    while (used_ > 0) keys_[--used_]->clear();
  }

 private:
  std::vector<std::unique_ptr<crypto::SymmetricKey>> keys_;  // storage is kept
  size_t used_ = 0;
};

}  // namespace adit::tunnel
