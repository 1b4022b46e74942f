#include "net/ecn.h"

#include <gtest/gtest.h>

#include <vector>

#include "net/checksum.h"

namespace adit {
namespace {

constexpr uint8_t kNot = 0, kEct1 = 1, kEct0 = 2, kCe = 3;
constexpr uint8_t kDrop = 0xff;

/// An IPv4 header with a right checksum.
std::vector<uint8_t> v4(uint8_t tos) {
  std::vector<uint8_t> packet = {0x45, tos, 0, 20, 0x12, 0x34, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
  store_be16(&packet[10], checksum_finish(checksum_add(0, packet)));
  return packet;
}

std::vector<uint8_t> v6(uint8_t tos) {
  std::vector<uint8_t> packet(40, 0xab);
  packet[0] = static_cast<uint8_t>(0x60 | tos >> 4);
  packet[1] = static_cast<uint8_t>(tos << 4 | 0x0c);  // and the begin of a flow label
  return packet;
}

TEST(EcnOf, IsTheTwoLowBitsOfTheTrafficClass) {
  for (unsigned tos = 0; tos < 256; ++tos) {
    EXPECT_EQ(ecn_of(v4(static_cast<uint8_t>(tos))), tos & 3);
    EXPECT_EQ(ecn_of(v6(static_cast<uint8_t>(tos))), tos & 3);
  }
}

TEST(EcnOf, OfAKeepaliveIsNone) { EXPECT_EQ(ecn_of({}), 0); }

TEST(AdoptOuterEcn, FollowsTheTableOfRfc6040) {
  // Rows: inner Not-ECT, ECT(1), ECT(0), CE; columns: outer in the same order.
  constexpr uint8_t kTable[4][4] = {
      {kNot, kNot, kNot, kDrop},
      {kEct1, kEct1, kEct1, kCe},
      {kEct0, kEct1, kEct0, kCe},
      {kCe, kCe, kCe, kCe},
  };
  for (unsigned dscp = 0; dscp < 256; dscp += 4) {
    for (unsigned inner = 0; inner < 4; ++inner) {
      for (unsigned outer = 0; outer < 4; ++outer) {
        for (const auto& make : {v4, v6}) {
          std::vector<uint8_t> packet = make(static_cast<uint8_t>(dscp | inner));
          const uint8_t expected = kTable[inner][outer];
          const bool taken = adopt_outer_ecn(packet, static_cast<uint8_t>((dscp ^ 0x88) | outer));
          ASSERT_EQ(taken, expected != kDrop) << inner << " in " << outer;
          // All the rest, DSCP and flow label among it, is as it was, and the checksum right.
          ASSERT_EQ(packet, make(static_cast<uint8_t>(dscp | (taken ? expected : inner)))) << inner << " in " << outer;
        }
      }
    }
  }
}

TEST(AdoptOuterEcn, LeavesAWrongChecksumWrong) {
  std::vector<uint8_t> packet = v4(kEct0);
  packet[11] ^= 1;
  ASSERT_TRUE(adopt_outer_ecn(packet, kCe));
  EXPECT_EQ(ecn_of(packet), kCe);
  EXPECT_NE(checksum_finish(checksum_add(0, packet)), 0);
}

}  // namespace
}  // namespace adit
