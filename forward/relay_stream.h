// One direction of a relayed connection, without I/O: what was read on one side and the other has not taken yet.
#pragma once

#include <cassert>
#include <cstddef>
#include <memory>

#include "net/bytes.h"

namespace adit::forward {

/// Back-pressure: nothing is read while something waits, so at most one read's bytes ever wait, and memory is held only
/// meanwhile.  For the same reason an end never has to wait behind bytes.
class RelayStream {
 public:
  [[nodiscard]] bool wants_read() const noexcept { return !ended_ && begin_ == end_; }
  [[nodiscard]] bool wants_write() const noexcept { return begin_ != end_; }
  /// Whether the reading side has said its last.
  [[nodiscard]] bool has_ended() const noexcept { return ended_; }

  /// What is to be written next; dangles after the next call.
  [[nodiscard]] ConstBytes waiting() const noexcept { return {memory_.get() + begin_, end_ - begin_}; }
  /// Copies what the other side did not take; nothing waits.
  void keep(ConstBytes rest) {
    assert(!wants_write());
    if (rest.empty()) return;
    memory_.reset(new uint8_t[rest.size()]);  // not make_unique, which would write zeros first
    copy_bytes(rest, memory_.get());
    begin_ = 0;
    end_ = rest.size();
  }
  /// So many of the waiting bytes were written.
  void written(size_t count) noexcept {
    assert(count <= end_ - begin_);
    begin_ += count;
    if (begin_ == end_) memory_.reset();
  }
  /// The end was read; nothing waits.
  void end() noexcept {
    assert(!wants_write());
    ended_ = true;
  }

 private:
  std::unique_ptr<uint8_t[]> memory_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool ended_ = false;
};

}  // namespace adit::forward
