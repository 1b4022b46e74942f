// Every implementation of the batch door that this processor has, against libsodium one by one.
#include <gtest/gtest.h>

#include <random>

#include "crypto/aead_impl.h"

namespace adit::crypto {
namespace {

using ByteVector = std::vector<uint8_t>;

/// Messages next to each other in one piece of memory, with bytes between that nobody may touch.
class Batch {
 public:
  Batch(std::mt19937& random, const std::vector<size_t>& sizes, size_t keys) : keys_(keys), sizes_(sizes) {
    for (SymmetricKey& key : keys_) {
      for (uint8_t& byte : key.bytes()) byte = static_cast<uint8_t>(random());
    }
    for (const size_t size : sizes) {
      const size_t gap = 1 + random() % 5;  // so that they are not aligned either
      memory_.insert(memory_.end(), gap, kCanary);
      begins_.push_back(memory_.size());
      for (size_t i = 0; i < size; ++i) memory_.push_back(static_cast<uint8_t>(random()));
      memory_.insert(memory_.end(), kTagSize, kCanary);
      nonces_.push_back(uint64_t{random()} << 32 | random());
    }
    memory_.insert(memory_.end(), 3, kCanary);
    memory_.shrink_to_fit();  // so that a sanitizer sees the end
  }

  [[nodiscard]] std::span<uint8_t> message(size_t i) {
    return std::span(memory_).subspan(begins_[i], sizes_[i] + kTagSize);
  }
  [[nodiscard]] const SymmetricKey& key(size_t i) const { return keys_[i % keys_.size()]; }
  [[nodiscard]] size_t size() const { return sizes_.size(); }
  ByteVector& memory() { return memory_; }

  void seal(const AeadImpl& implementation) {
    std::vector<SealJob> jobs;
    for (size_t i = 0; i < size(); ++i) jobs.push_back({&key(i), nonces_[i], message(i)});
    implementation.seal_batch(jobs);
  }
  std::vector<bool> open(const AeadImpl& implementation) {
    std::vector<OpenJob> jobs;
    for (size_t i = 0; i < size(); ++i) jobs.push_back({&key(i), nonces_[i], message(i), false});
    implementation.open_batch(jobs);
    std::vector<bool> good;
    for (const OpenJob& job : jobs) good.push_back(job.ok);
    return good;
  }

 private:
  static constexpr uint8_t kCanary = 0xc5;
  std::vector<SymmetricKey> keys_;
  std::vector<size_t> sizes_;
  std::vector<size_t> begins_;
  std::vector<uint64_t> nonces_;
  ByteVector memory_;
};

class Implementation : public testing::TestWithParam<const AeadImpl*> {
 protected:
  void expect_as_sodium(const std::vector<size_t>& sizes, size_t keys = 1) {
    Batch ours(random_, sizes, keys);
    Batch theirs = ours;
    ours.seal(*GetParam());
    theirs.seal(kAeadSodium);
    ASSERT_TRUE(ours.memory() == theirs.memory()) << sizes.front();
    const auto good = ours.open(*GetParam());
    ASSERT_EQ(good, std::vector<bool>(sizes.size(), true)) << sizes.front();
    theirs.open(kAeadSodium);
    ASSERT_TRUE(ours.memory() == theirs.memory()) << sizes.front();
  }
  std::mt19937 random_{1};
};

INSTANTIATE_TEST_SUITE_P(Aead, Implementation,
                         testing::ValuesIn(aead_implementations().begin(), aead_implementations().end()),
                         [](const auto& each) { return std::string(each.param->name); });

TEST_P(Implementation, AgreesWithSodiumForEveryLengthOfAPacket) {
  for (size_t size = 0; size <= 2200; ++size) expect_as_sodium({size});
  for (size_t size = 0; size <= 2200; size += 5) {
    std::vector<size_t> neighbours;
    for (size_t i = 0; i < 17; ++i) neighbours.push_back(size + i);
    expect_as_sodium(neighbours);
  }
}

TEST_P(Implementation, AgreesWithSodiumForAnyBatch) {
  for (size_t count = 1; count <= 140; ++count) {
    std::vector<size_t> sizes;
    for (size_t i = 0; i < count; ++i) sizes.push_back(random_() % 4 == 0 ? random_() % 3 : random_() % 1600);
    expect_as_sodium(sizes, 1 + random_() % 5);
  }
}

TEST_P(Implementation, AgreesWithSodiumForPacketsOfOneSize) {
  for (const size_t size : {0u, 16u, 64u, 128u, 1420u, 1440u}) {
    for (const size_t count : {1u, 2u, 3u, 8u, 15u, 16u, 17u, 32u, 64u, 128u}) {
      expect_as_sodium(std::vector<size_t>(count, size), count % 2 + 1);
    }
  }
}

TEST_P(Implementation, AgreesWithSodiumForTheLargestPackets) {
  for (int i = 0; i < 12; ++i) expect_as_sodium({65535 - random_() % 16, random_() % 65536, random_() % 65536, 9}, 2);
}

TEST_P(Implementation, ANothingOfABatchIsNothing) {
  GetParam()->seal_batch({});
  GetParam()->open_batch({});
}

TEST_P(Implementation, RefusesEverySingleFlippedBitAndOpensTheOthers) {
  Batch sealed(random_, {100, 333, 100, 0, 1420}, 2);
  sealed.seal(kAeadSodium);
  for (size_t bit = 0; bit < (100 + kTagSize) * 8; ++bit) {
    Batch flipped = sealed;
    flipped.message(2)[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_EQ(flipped.open(*GetParam()), (std::vector<bool>{true, true, false, true, true})) << bit;
  }
}

TEST_P(Implementation, RefusesAnotherKeyAndAnotherNonce) {
  Batch sealed(random_, {64, 64}, 2);
  sealed.seal(kAeadSodium);
  std::vector<OpenJob> jobs = {{&sealed.key(1), 7, sealed.message(0), true},
                               {&sealed.key(0), 7, sealed.message(1), true}};
  GetParam()->open_batch(jobs);
  EXPECT_FALSE(jobs[0].ok);
  EXPECT_FALSE(jobs[1].ok);
}

/// Values that carry from limb to limb, and hashes at and above the prime: r and s are the key's, so messages of
/// extreme bytes under many keys stand in for chosen ones.
TEST_P(Implementation, AgreesWithSodiumForExtremeBytes) {
  for (const int byte : {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff}) {
    for (int round = 0; round < 20; ++round) {
      Batch ours(random_, std::vector<size_t>(16, 1024), 16);
      for (size_t i = 0; i < ours.size(); ++i) {
        // What is hashed is the ciphertext: one that opens to anything will do.
        std::ranges::fill(ours.message(i).first(1024), static_cast<uint8_t>(byte));
      }
      Batch theirs = ours;
      ours.seal(*GetParam());
      theirs.seal(kAeadSodium);
      ASSERT_TRUE(ours.memory() == theirs.memory());
      for (size_t i = 0; i < ours.size(); ++i) {
        std::ranges::fill(ours.message(i).first(1024), static_cast<uint8_t>(byte));  // sealed bytes, as hashed by open
      }
      EXPECT_EQ(ours.open(*GetParam()), ours.open(kAeadSodium));
    }
  }
}

}  // namespace
}  // namespace adit::crypto
