#include "net/checksum.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace adit {
namespace {

/// RFC 1071 1, word by word, folding as it goes.
uint16_t naive_checksum(ConstBytes bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? bytes[i] * 256u : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

std::vector<uint8_t> random_bytes_of(size_t size, std::mt19937& random) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

TEST(Checksum, IsThatOfTheExampleInRfc1071) {
  const std::vector<uint8_t> bytes = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(checksum_finish(checksum_add(0, bytes)), static_cast<uint16_t>(~0xddf2));
}

TEST(Checksum, OfNothingIsAllOnes) {
  EXPECT_EQ(checksum_finish(0), 0xffff);
  EXPECT_EQ(checksum_finish(checksum_add(0, {})), 0xffff);
}

TEST(Checksum, AgreesWithANaiveLoopAtEveryLength) {
  std::mt19937 random(1);
  for (size_t size = 0; size <= 2048; ++size) {
    const auto bytes = random_bytes_of(size, random);
    ASSERT_EQ(checksum_finish(checksum_add(0, bytes)), naive_checksum(bytes)) << size;
  }
}

TEST(Checksum, DoesNotDependOnWhereTheBytesAre) {
  std::mt19937 random(4);
  const auto bytes = random_bytes_of(300, random);
  const ConstBytes all(bytes);
  for (size_t begin = 0; begin < 70; ++begin) {
    for (size_t size = 0; begin + size <= all.size(); ++size) {
      const ConstBytes some = all.subspan(begin, size);
      ASSERT_EQ(checksum_finish(checksum_add(0, some)), naive_checksum(some)) << begin << ", " << size;
    }
  }
}

/// Sums that carry again and again, in every word of a vector.
TEST(Checksum, CarriesAroundWhereverAlmostEveryBitIsSet) {
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::vector<uint8_t> bytes(random() % 3000, 0xff);
    for (int i = 0; i < 4 && !bytes.empty(); ++i) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    ASSERT_EQ(checksum_finish(checksum_add(0, bytes)), naive_checksum(bytes)) << round;
  }
}

TEST(Checksum, CarriesAroundWhenEveryBitIsSet) {
  for (const size_t size : {1u, 2u, 3u, 4u, 6u, 64u, 65535u}) {
    const std::vector<uint8_t> bytes(size, 0xff);
    EXPECT_EQ(checksum_finish(checksum_add(0, bytes)), naive_checksum(bytes)) << size;
  }
  EXPECT_EQ(checksum_finish(UINT64_MAX), 0);
}

TEST(Checksum, AddsUpOverPiecesOfEvenLength) {
  std::mt19937 random(2);
  const auto bytes = random_bytes_of(101, random);
  const ConstBytes all(bytes);
  for (size_t split = 0; split <= all.size(); split += 2) {
    const uint64_t sum = checksum_add(checksum_add(0, all.first(split)), all.subspan(split));
    EXPECT_EQ(checksum_finish(sum), naive_checksum(all)) << split;
  }
}

TEST(Checksum, IsZeroOverDataThatCarriesIt) {
  std::mt19937 random(3);
  for (size_t size = 2; size < 100; ++size) {
    auto bytes = random_bytes_of(size, random);
    store_be16(bytes.data(), 0);
    store_be16(bytes.data(), checksum_finish(checksum_add(0, bytes)));
    EXPECT_EQ(checksum_finish(checksum_add(0, bytes)), 0) << size;
  }
}

}  // namespace
}  // namespace adit
