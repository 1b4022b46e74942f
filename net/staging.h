// Where the kernel puts what it hands over in bulk, before it is cut into packets: what is read is taken out again
// before the next read.
#pragma once

#include <memory>

#include "net/bytes.h"

namespace adit {

class Staging {
 public:
  /// As many reads of a datagram or super-packet (with a virtio header in front) as one system call may fill.
  static constexpr size_t kParts = 16;
  static constexpr size_t kPartSize = 65536 + 64;

  [[nodiscard]] Bytes part(size_t i) noexcept { return Bytes(memory_.get() + i * kPartSize, kPartSize); }

 private:
  // Not initialised: memory that no large read has needed costs nothing.
  std::unique_ptr<uint8_t[]> memory_{new uint8_t[kParts * kPartSize]};
};

}  // namespace adit
