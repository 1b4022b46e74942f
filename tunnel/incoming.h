// Datagrams on their way through decapsulation, which has three steps: the Tunnel finds the session of each, open()
// decrypts them, and the Tunnel judges what is authentic.
#pragma once

#include <vector>

#include "crypto/aead.h"
#include "net/datagram.h"
#include "tunnel/key_copies.h"

namespace adit::tunnel {

/// Kept between uses for its storage.
class Incoming {
 public:
  /// As they were read.  The caller fills the list; it is empty again after the third step.
  Datagrams datagrams;

  /// The second step.  Nothing of the Tunnel's is needed for it.
  void open() noexcept {
    crypto::open_batch(jobs_);
    keys_.wipe();
  }

 private:
  friend class Tunnel;
  struct Arrival {  // a data message whose session is known; parallel to jobs_
    Datagram* datagram;
    uint32_t receiver;
    uint64_t session;  // Keypair::serial: the index may be another session's by the third step
    uint64_t counter;
  };
  std::vector<Arrival> arrivals_;
  std::vector<crypto::OpenJob> jobs_;
  KeyCopies keys_;
};

}  // namespace adit::tunnel
