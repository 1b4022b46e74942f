// Every implementation of the batch door that this processor can run, against libsodium through the single door.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "crypto/aead.h"
#include "crypto/aead_impl.h"
#include "tests/crypto/hex.h"

namespace adit::crypto {
namespace {

using ByteVector = std::vector<uint8_t>;

constexpr size_t kKeys = 5;

SymmetricKey some_key(size_t i) {
  SymmetricKey key;
  for (size_t at = 0; at < kKeySize; ++at) key.bytes()[at] = static_cast<uint8_t>(at * (2 * i + 1) + 31 * i);
  return key;
}

/// Messages in one stretch of memory with strips between them that nobody may touch, and what sealing must make of it.
class Batch {
 public:
  struct Message {
    size_t size;
    size_t key = 0;
    uint64_t nonce = 0;
  };

  explicit Batch(std::vector<Message> messages, size_t strip = 37) : messages_(std::move(messages)) {
    size_t total = strip;
    for (const Message& message : messages_) {
      begins_.push_back(total);
      total += message.size + kTagSize + strip;
    }
    plain_.resize(total);
    for (size_t i = 0; i < total; ++i) plain_[i] = static_cast<uint8_t>(i * 167 >> 3);
    sealed_ = plain_;
    for (size_t i = 0; i < messages_.size(); ++i) {
      seal(keys_[messages_[i].key], messages_[i].nonce, {}, text(plain_, i), text_and_tag(sealed_, i));
    }
  }

  void expect_seals(const AeadImpl& implementation) {
    ByteVector memory = plain_;
    std::vector<SealJob> jobs;
    for (size_t i = 0; i < messages_.size(); ++i) {
      jobs.push_back({&keys_[messages_[i].key], messages_[i].nonce, text_and_tag(memory, i)});
    }
    implementation.seal_batch(jobs);
    EXPECT_TRUE(memory == sealed_) << first_difference(memory, sealed_);
  }

  /// `forged`: messages in which one bit is flipped.
  void expect_opens(const AeadImpl& implementation, const std::vector<size_t>& forged = {}) {
    ByteVector memory = sealed_;
    std::vector<OpenJob> jobs;
    for (size_t i = 0; i < messages_.size(); ++i) {
      jobs.push_back({&keys_[messages_[i].key], messages_[i].nonce, text_and_tag(memory, i), i % 2 == 0});
    }
    for (const size_t i : forged) text_and_tag(memory, i)[i * 7919 % (messages_[i].size + kTagSize)] ^= 0x40;
    implementation.open_batch(jobs);
    for (size_t i = 0; i < messages_.size(); ++i) EXPECT_EQ(jobs[i].ok, std::ranges::count(forged, i) == 0) << i;

    // Of a forged message only the text may have changed, and nothing is promised about it; tags stay.
    ByteVector expected = sealed_;
    for (size_t i = 0; i < messages_.size(); ++i) {
      std::ranges::copy(text(jobs[i].ok ? plain_ : memory, i), text(expected, i).begin());
      const auto tag = text_and_tag(memory, i).last(kTagSize);
      if (!jobs[i].ok) std::ranges::copy(tag, text_and_tag(expected, i).last(kTagSize).begin());
    }
    EXPECT_TRUE(memory == expected) << first_difference(memory, expected);
  }

 private:
  std::span<uint8_t> text(ByteVector& memory, size_t i) const {
    return std::span(memory).subspan(begins_[i], messages_[i].size);
  }
  std::span<uint8_t> text_and_tag(ByteVector& memory, size_t i) const {
    return std::span(memory).subspan(begins_[i], messages_[i].size + kTagSize);
  }
  std::string first_difference(const ByteVector& memory, const ByteVector& expected) const {
    const auto at = static_cast<size_t>(std::ranges::mismatch(memory, expected).in1 - memory.begin());
    const auto after = std::ranges::upper_bound(begins_, at) - begins_.begin();
    if (after == 0) return "before the first message";
    const auto i = static_cast<size_t>(after) - 1;
    return "message " + std::to_string(i) + " of " + std::to_string(messages_[i].size) + " bytes, at byte " +
           std::to_string(at - begins_[i]);
  }

  std::vector<Message> messages_;
  std::vector<size_t> begins_;
  const std::array<SymmetricKey, kKeys> keys_ = {some_key(0), some_key(1), some_key(2), some_key(3), some_key(4)};
  ByteVector plain_;
  ByteVector sealed_;
};

class AeadImplementations : public testing::TestWithParam<const AeadImpl*> {
 protected:
  const AeadImpl& implementation = *GetParam();
  std::mt19937_64 random{20240229};

  size_t below(size_t limit) { return static_cast<size_t>(random() % limit); }
  Batch::Message message_of(size_t size) { return {size, below(kKeys), random()}; }
};

INSTANTIATE_TEST_SUITE_P(, AeadImplementations,
                         testing::ValuesIn(available_implementations().begin(), available_implementations().end()),
                         [](const auto& instance) { return std::string(instance.param->name); });

TEST_P(AeadImplementations, SealEveryLengthAsLibsodiumDoesBesideItsNeighbours) {
  for (size_t size = 0; size <= 2200; ++size) {
    std::vector<Batch::Message> messages;
    for (size_t i = 0; i < 17; ++i) messages.push_back({size + i, 0, (size << 32) + i});
    Batch(std::move(messages)).expect_seals(implementation);
    if (HasFailure()) FAIL() << "from " << size << " bytes on";
  }
}

TEST_P(AeadImplementations, OpenEveryLengthBesideItsNeighbours) {
  for (size_t size = 0; size <= 2200; ++size) {
    std::vector<Batch::Message> messages;
    for (size_t i = 0; i < 17; ++i) messages.push_back({size + i, 1, (size << 32) + i});
    Batch(std::move(messages)).expect_opens(implementation);
    if (HasFailure()) FAIL() << "from " << size << " bytes on";
  }
}

TEST_P(AeadImplementations, SealAndOpenEveryLengthAlone) {
  for (size_t size = 0; size <= 2200; ++size) {
    Batch batch({{size, 2, ~uint64_t{size}}});
    batch.expect_seals(implementation);
    batch.expect_opens(implementation);
    batch.expect_opens(implementation, {0});
    if (HasFailure()) FAIL() << size << " bytes";
  }
}

TEST_P(AeadImplementations, MixLengthsKeysAndForgeriesInBatchesOfAnySize) {
  for (size_t count = 0; count <= 70; ++count) {
    std::vector<Batch::Message> messages;
    std::vector<size_t> forged;
    for (size_t i = 0; i < count; ++i) {
      messages.push_back(message_of(below(4) == 0 ? below(3000) : below(200)));
      if (below(4) == 0) forged.push_back(i);
    }
    Batch batch(std::move(messages), below(100));
    batch.expect_seals(implementation);
    batch.expect_opens(implementation, forged);
    if (HasFailure()) FAIL() << "a batch of " << count;
  }
}

TEST_P(AeadImplementations, TakeTrainsOfOneLengthOfManyPeersWithAndWithoutForgeries) {
  for (size_t size = 0; size <= 1500; size += below(2) == 0 ? 1 : 32) {
    std::vector<Batch::Message> messages;
    for (size_t i = 0; i < 33; ++i) messages.push_back(message_of(size));
    Batch batch(std::move(messages));
    batch.expect_seals(implementation);
    batch.expect_opens(implementation);
    batch.expect_opens(implementation, {below(16), 16 + below(16)});
    if (HasFailure()) FAIL() << size << " bytes";
  }
}

TEST_P(AeadImplementations, TakeTheLongestPacketsAmongShortOnes) {
  for (int turn = 0; turn < 12; ++turn) {
    std::vector<Batch::Message> messages;
    for (size_t i = 0; i < 9; ++i) messages.push_back(message_of(below(2) == 0 ? below(65536) : below(100)));
    messages.push_back(message_of(65535));
    Batch batch(std::move(messages));
    batch.expect_seals(implementation);
    batch.expect_opens(implementation, {below(10)});
    if (HasFailure()) FAIL() << "turn " << turn;
  }
}

TEST_P(AeadImplementations, TakeAnyAlignment) {
  for (size_t strip = 0; strip < 64; ++strip) {
    std::vector<Batch::Message> messages(17, {128, 3, strip});
    Batch batch(std::move(messages), strip);
    batch.expect_seals(implementation);
    batch.expect_opens(implementation, {5});
    if (HasFailure()) FAIL() << strip;
  }
}

TEST_P(AeadImplementations, RefuseEachFlippedBitAndOpenTheGoodOnesBesideIt) {
  const SymmetricKey key = some_key(1);
  const ByteVector text = counting_bytes(100);
  ByteVector sealed(text.size() + kTagSize);
  seal(key, 9, {}, text, sealed);
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    const size_t forged = bit % 16;
    std::vector<ByteVector> memory(16, sealed);
    memory[forged][bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    std::vector<OpenJob> jobs;
    for (ByteVector& bytes : memory) jobs.push_back({&key, 9, bytes, false});
    implementation.open_batch(jobs);
    for (size_t i = 0; i < jobs.size(); ++i) {
      ASSERT_EQ(jobs[i].ok, i != forged) << "bit " << bit;
      if (jobs[i].ok) {
        ASSERT_TRUE(std::ranges::equal(std::span(memory[i]).first(text.size()), text));
      }
    }
  }
}

TEST_P(AeadImplementations, RefuseAnotherKeyOrNonce) {
  const SymmetricKey key = some_key(1), other = some_key(2);
  ByteVector sealed(200 + kTagSize);
  seal(key, 9, {}, ByteVector(200), sealed);
  for (unsigned bit = 0; bit < 64; ++bit) {
    std::vector<ByteVector> memory(3, sealed);
    std::vector<OpenJob> jobs = {
        {&key, 9, memory[0], false}, {&key, 9 ^ uint64_t{1} << bit, memory[1], true}, {&other, 9, memory[2], true}};
    implementation.open_batch(jobs);
    EXPECT_TRUE(jobs[0].ok);
    EXPECT_FALSE(jobs[1].ok);
    EXPECT_FALSE(jobs[2].ok);
  }
}

/// A page between two that must not be touched.
class GuardedPages {
 public:
  GuardedPages() {
    memory_ = static_cast<uint8_t*>(mmap(nullptr, 3 * size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED || mprotect(memory_ + size_, size_, PROT_READ | PROT_WRITE) != 0) std::abort();
  }
  ~GuardedPages() { munmap(memory_, 3 * size_); }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  std::span<uint8_t> front(size_t size) { return {memory_ + size_, size}; }
  std::span<uint8_t> back(size_t size) { return {memory_ + 2 * size_ - size, size}; }

 private:
  const size_t size_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  uint8_t* memory_;
};

TEST_P(AeadImplementations, StayWithinTheMessagesAtTheEdgesOfMemory) {
  const SymmetricKey key = some_key(4);
  GuardedPages front, back;
  for (size_t size = 0; size <= 400; ++size) {
    ByteVector sealed(size + kTagSize);
    seal(key, size, {}, counting_bytes(size), sealed);
    const auto at_front = front.front(sealed.size());
    const auto at_back = back.back(sealed.size());
    std::ranges::copy(counting_bytes(size), at_front.begin());
    std::ranges::copy(counting_bytes(size), at_back.begin());
    const std::vector<SealJob> seals = {{&key, size, at_front}, {&key, size, at_back}};
    implementation.seal_batch(seals);
    ASSERT_TRUE(std::ranges::equal(at_front, sealed) && std::ranges::equal(at_back, sealed)) << size;
    std::vector<OpenJob> opens = {{&key, size, at_front, false}, {&key, size, at_back, false}};
    implementation.open_batch(opens);
    ASSERT_TRUE(opens[0].ok && opens[1].ok) << size;
  }
}

// Ciphertexts of one block, with the key 0, 1, 2, ..., whose hash before s is added is the number named: where reducing
// modulo 2^130 - 5 goes wrong first, and where chance never comes.  Made by solving ((c + 2^128) r + lengths) r = h.
constexpr struct {
  const char* hash;
  uint64_t nonce;
  const char* sealed;
} kCorners[] = {
    {"0", 3, "036d41cc10306708a2efea0c3c97a1a6df290f2c1a7949eae13700d6931a6ed5"},
    {"1", 2, "e7e3610b0f2acbd63eb54c9395100748aa3cc77ac646cbca744fdf1876ad1a39"},
    {"4", 9, "eec20a29d44af0a67c579afd8a659132efb4cd71456ef42e0e535d12b993e15d"},
    {"5", 6, "de59215d4019878826ef2de459b6a12407e7a574001dc48a8bc7a91acfeafb7b"},
    {"2^128 - 1", 2, "f419f34fffb7846459e526d5bc554deea83cc77ac646cbca744fdf1876ad1a39"},
    {"2^128", 4, "3c20a9f8a597a75dbb5b242b12fd00ab1eb51ab0897a3e01b2535640ace79013"},
    {"2^130 - 6", 9, "41302438037db17e0314f1ef3ac0d4a6e5b4cd71456ef42e0e535d12b993e15d"},
};

TEST_P(AeadImplementations, ReduceTheHashInItsCorners) {
  SymmetricKey key;
  std::ranges::copy(counting_bytes(kKeySize), key.bytes().begin());
  for (const auto& corner : kCorners) {
    for (const size_t count : {1u, 16u}) {
      std::vector<ByteVector> memory(count, from_hex(corner.sealed));
      std::vector<OpenJob> opens;
      std::vector<SealJob> seals;
      for (ByteVector& bytes : memory) {
        opens.push_back({&key, corner.nonce, bytes, false});
        seals.push_back({&key, corner.nonce, bytes});
      }
      implementation.open_batch(opens);
      for (const OpenJob& job : opens) EXPECT_TRUE(job.ok) << corner.hash;
      implementation.seal_batch(seals);
      for (const ByteVector& bytes : memory) EXPECT_EQ(to_hex(bytes), corner.sealed);
    }
  }
}

}  // namespace
}  // namespace adit::crypto
