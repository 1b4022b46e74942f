// Datagrams that a Tunnel has to send, and what is left to do for them.
#pragma once

#include <vector>

#include "crypto/aead.h"
#include "net/datagram.h"
#include "tunnel/key_copies.h"

namespace adit::tunnel {

/// The Tunnel frames data messages, sealed() encrypts them.  Between the two nothing of the Tunnel's is needed.  Kept
/// between uses for its storage.
class Outgoing {
 public:
  [[nodiscard]] bool empty() const noexcept { return datagrams_.empty(); }
  /// Encrypts what is not yet encrypted, all in one batch.  The caller sends the datagrams and empties the list.
  [[nodiscard]] Datagrams& sealed() noexcept {
    crypto::seal_batch(jobs_);
    jobs_.clear();
    keys_.wipe();
    return datagrams_;
  }

  // The Tunnel's side.
  /// A message that is as it will be sent.
  void add(Datagram datagram) { datagrams_.push_back(std::move(datagram)); }
  /// For add_data(), once for a run of messages.
  const crypto::SymmetricKey* keep(const crypto::SymmetricKey& key) { return keys_.add(key); }
  /// A data message of which `text_and_tag` is still to be encrypted.
  void add_data(Datagram datagram, const crypto::SymmetricKey* kept, uint64_t nonce, Bytes text_and_tag) {
    jobs_.push_back({kept, nonce, text_and_tag});
    add(std::move(datagram));
  }

 private:
  Datagrams datagrams_;
  std::vector<crypto::SealJob> jobs_;
  KeyCopies keys_;
};

}  // namespace adit::tunnel
