// A Reassembler, and packets for it.
#pragma once

#include <gtest/gtest.h>

#include "net/reassembly.h"
#include "tests/support/fragments.h"

namespace adit::test {

/// Makes an IPv4 header's checksum right again.
inline void sign_ipv4(ByteVector& packet) {
  store_be16(&packet[10], 0);
  store_be16(&packet[10], checksum_finish(checksum_add(0, ConstBytes(packet).first((packet[0] & 15u) * 4))));
}

class ReassemblyLab : public ::testing::Test {
 protected:
  explicit ReassemblyLab(const Reassembler::Limits& limits = {}) : reassembler_(limits) {}

  /// What came of it is in packet_.
  Taken take(const ByteVector& bytes) {
    packet_ = {};
    packet_ = put(pool_, bytes);
    const Taken taken = reassembler_.take(packet_, now_, drops_);
    const bool is_there = taken == Taken::kNotAFragment || taken == Taken::kWhole;
    EXPECT_EQ(bool{packet_}, is_there);
    if (!is_there) {
      EXPECT_EQ(pool_.available(), pool_.slots()) << "the fragment's memory is free";
    }
    return taken;
  }
  [[nodiscard]] ByteVector bytes() const { return bytes_of(packet_); }

  PacketPool pool_{4, 66000};
  Reassembler reassembler_;
  Packet packet_;
  DropCounters drops_;
  Time now_{seconds(1000)};
};

}  // namespace adit::test
