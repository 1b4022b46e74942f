#include "crypto/aead.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "crypto/aead_impl.h"
#include "crypto/blake2s.h"
#include "tests/crypto/hex.h"

namespace adit::crypto {
namespace {

using ByteVector = std::vector<uint8_t>;

SymmetricKey key_of(const char* hex) { return SymmetricKey(key_from_hex(hex)); }

SymmetricKey counting_key() {
  SymmetricKey key;
  std::ranges::copy(counting_bytes(kKeySize), key.bytes().begin());
  return key;
}

ByteVector sealed_singly(const SymmetricKey& key, uint64_t nonce, std::span<const uint8_t> text) {
  ByteVector out(text.size() + kTagSize);
  seal(key, nonce, {}, text, out);
  return out;
}

// RFC 8439 2.8.2 has a nonce that does not begin with four zero bytes, so no door takes it; A.5 has.
namespace rfc8439_a5 {
constexpr const char* kKey = "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0";
constexpr uint64_t kNonce = 0x0807060504030201;
constexpr const char* kAssociated = "f33388860000000000004e91";
constexpr const char* kSealed =
    "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4"
    "f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606"
    "907b6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047"
    "718cbc546a0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d9"
    "1d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38";
constexpr std::string_view kText =
    "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, or obsoleted "
    "by other documents at any time. It is inappropriate to use Internet-Drafts as reference material or to cite them "
    "other than as /\xe2\x80\x9cwork in progress./\xe2\x80\x9d";
}  // namespace rfc8439_a5

TEST(Aead, OpensTheMessageOfRfc8439AppendixA5) {
  using namespace rfc8439_a5;
  ByteVector text(kText.size());
  ASSERT_TRUE(open(key_of(kKey), kNonce, from_hex(kAssociated), from_hex(kSealed), text));
  EXPECT_EQ(to_hex(text), to_hex(bytes_of(kText)));
}

TEST(Aead, SealsTheMessageOfRfc8439AppendixA5) {
  using namespace rfc8439_a5;
  ByteVector sealed(kText.size() + kTagSize);
  seal(key_of(kKey), kNonce, from_hex(kAssociated), bytes_of(kText), sealed);
  EXPECT_EQ(to_hex(sealed), kSealed);
}

TEST(Aead, SealsAndOpensInPlace) {
  using namespace rfc8439_a5;
  ByteVector memory(kText.begin(), kText.end());
  memory.resize(kText.size() + kTagSize);
  const auto text = std::span(memory).first(kText.size());
  seal(key_of(kKey), kNonce, from_hex(kAssociated), text, memory);
  EXPECT_EQ(to_hex(memory), kSealed);
  ASSERT_TRUE(open(key_of(kKey), kNonce, from_hex(kAssociated), memory, text));
  EXPECT_EQ(to_hex(text), to_hex(bytes_of(kText)));
}

TEST(Aead, RefusesEveryFlippedBitOfMessageAssociatedDataKeyAndNonce) {
  const SymmetricKey key = counting_key();
  const ByteVector associated = counting_bytes(5);
  const ByteVector text = counting_bytes(37);
  ByteVector sealed(text.size() + kTagSize);
  seal(key, 7, associated, text, sealed);
  ByteVector out(text.size());
  ASSERT_TRUE(open(key, 7, associated, sealed, out));

  const auto with_flipped_bit = [](auto bytes, size_t bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    return bytes;
  };
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    EXPECT_FALSE(open(key, 7, associated, with_flipped_bit(sealed, bit), out)) << bit;
  }
  for (size_t bit = 0; bit < associated.size() * 8; ++bit) {
    EXPECT_FALSE(open(key, 7, with_flipped_bit(associated, bit), sealed, out)) << bit;
  }
  for (size_t bit = 0; bit < kKeySize * 8; ++bit) {
    EXPECT_FALSE(open(SymmetricKey(with_flipped_bit(key.bytes(), bit)), 7, associated, sealed, out)) << bit;
  }
  for (unsigned bit = 0; bit < 64; ++bit) {
    EXPECT_FALSE(open(key, 7 ^ uint64_t{1} << bit, associated, sealed, out)) << bit;
  }
}

// Text: byte i is i mod 251; key: 0, 1, 2, ...; hash of the result by a separate implementation of RFC 8439.
TEST(AeadBatch, AgreesWithAnotherImplementationAtTheLengthsThatMatter) {
  const struct {
    uint64_t nonce;
    size_t size;
    const char* hash;
  } cases[] = {{0, 0, "80a8bad31e79c326a485bbc765c6fd1c2fe038d4b2fe69e0cc2e8cf4f2e818d0"},
               {1, 1, "69b879e16b9855eb202e517adfed65cfe5c659301122b3327313a33a460a05d7"},
               {2, 15, "c1d0e441f55707c2737cd82c7e9d06aa78f14204f5756124d4ecbcae1bf00882"},
               {3, 16, "1638af793d43f1f203e931e68f35194a6a2c538197f38a7742ee1b1727f0e111"},
               {0x0123456789abcdef, 63, "34589ecf6e195b5fe263f374248c585eb2698306037b00432c13b092f5773774"},
               {0xfffffffffffffffe, 64, "989dab0ce7cc2b7c9312e3f87831553cdd5341e66eb3d1be8cc6f17b236cf6f7"},
               {4, 65, "c05e969aef20cea5d9cb817d4cdbfeefee8a816c18d91fa21a756a26ac3ac69c"},
               {5, 1280, "172d89b6589c559ffbf6b06ce619967799a8642890c21de9b71c1512ed674224"},
               {6, 1424, "c57c357498253760a1c60252592dd39e6b9818d08a9d01e1933ebdc6f0a1e695"},
               {7, 2200, "1065a90f058ef117dea36aab5c4b77aa756570e696c22217d001ff78e14152a0"}};
  const SymmetricKey key = counting_key();
  for (const auto& test : cases) {
    ByteVector memory(test.size + kTagSize);
    for (size_t i = 0; i < test.size; ++i) memory[i] = static_cast<uint8_t>(i % 251);
    const SealJob job{&key, test.nonce, memory};
    seal_batch({&job, 1});
    EXPECT_EQ(to_hex(blake2s({memory})), test.hash) << test.size;
  }
}

/// Messages of every length up to 2200 bytes, with several keys and nonces mixed.
class AeadBatchOfAllLengths : public testing::Test {
 protected:
  static constexpr size_t kCount = 2201;

  AeadBatchOfAllLengths() {
    for (size_t i = 0; i < kCount; ++i) {
      const size_t size = i * 1103 % kCount;  // 1103 is prime to 2201: every length once, neighbours far apart
      texts.push_back(counting_bytes(size));
      memory.push_back(texts.back());
      memory.back().resize(size + kTagSize, 0xee);
    }
  }
  const SymmetricKey& key(size_t i) const { return keys[i % keys.size()]; }
  static uint64_t nonce(size_t i) { return i * 0x0102030405060708; }

  std::vector<SymmetricKey> keys = {counting_key(), key_of(rfc8439_a5::kKey), SymmetricKey()};
  std::vector<ByteVector> texts;
  std::vector<ByteVector> memory;
};

TEST_F(AeadBatchOfAllLengths, SealsEachAsTheSingleDoorDoes) {
  std::vector<SealJob> jobs;
  for (size_t i = 0; i < kCount; ++i) jobs.push_back({&key(i), nonce(i), memory[i]});
  seal_batch(jobs);
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(memory[i], sealed_singly(key(i), nonce(i), texts[i])) << texts[i].size() << " bytes";
  }
}

TEST_F(AeadBatchOfAllLengths, OpensEachAndSaysWhichAreForged) {
  std::vector<OpenJob> jobs;
  for (size_t i = 0; i < kCount; ++i) {
    memory[i] = sealed_singly(key(i), nonce(i), texts[i]);
    const bool forged = i % 3 == 1;
    if (forged) memory[i][i % memory[i].size()] ^= 0x10;
    jobs.push_back({&key(i), nonce(i), memory[i], forged});  // `ok` must be set whatever it was
  }
  open_batch(jobs);
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(jobs[i].ok, i % 3 != 1) << texts[i].size() << " bytes";
    if (!jobs[i].ok) continue;
    ASSERT_TRUE(std::ranges::equal(std::span(memory[i]).first(texts[i].size()), texts[i]));
  }
}

TEST(AeadBatch, RefusesEveryFlippedBit) {
  const SymmetricKey key = counting_key();
  for (const size_t size : {0u, 1u, 16u, 100u}) {
    const ByteVector sealed = sealed_singly(key, 1, counting_bytes(size));
    std::vector<ByteVector> memory(sealed.size() * 8, sealed);
    std::vector<OpenJob> jobs;
    for (size_t bit = 0; bit < memory.size(); ++bit) {
      memory[bit][bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      jobs.push_back({&key, 1, memory[bit], true});
    }
    open_batch(jobs);
    for (size_t bit = 0; bit < jobs.size(); ++bit) EXPECT_FALSE(jobs[bit].ok) << size << " bytes, bit " << bit;
  }
}

TEST(AeadBatch, TakesAnEmptyBatch) {
  seal_batch({});
  open_batch({});
}

/// The choice is made once, at the first use: each of these is a process of its own.
class AeadNameDeathTest : public testing::Test {
 protected:
  AeadNameDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  static void expect_chosen(const char* wanted, std::string_view chosen) {
    EXPECT_EXIT(
        {
          setenv("ADIT_AEAD", wanted, 1);
          std::exit(aead_name() == chosen ? 0 : 1);
        },
        testing::ExitedWithCode(0), "")
        << wanted;
  }
};

TEST_F(AeadNameDeathTest, IsTheOneThatTheEnvironmentNames) {
  for (const AeadImpl* const each : available_implementations()) expect_chosen(each->name.data(), each->name);
}

TEST_F(AeadNameDeathTest, IsTheBestWhenTheEnvironmentNamesWhatIsNotThere) {
  const std::string_view best = available_implementations().front()->name;
  for (const char* wanted : {"", "avx1024", "null"}) expect_chosen(wanted, best);
}

// draft-irtf-cfrg-xchacha-03 A.3.1.
class XAead : public testing::Test {
 protected:
  static constexpr std::string_view kText =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
      "it.";
  static constexpr const char* kSealed =
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216"
      "cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13"
      "b52ec0875924c1c7987947deafd8780acf49";
  const SymmetricKey key = key_of("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const ByteVector nonce_memory = from_hex("404142434445464748494a4b4c4d4e4f5051525354555657");
  const std::span<const uint8_t, kXNonceSize> nonce{nonce_memory};
  const ByteVector associated = from_hex("50515253c0c1c2c3c4c5c6c7");
};

TEST_F(XAead, SealsTheExampleOfTheDraft) {
  ByteVector sealed(kText.size() + kTagSize);
  xseal(key, nonce, associated, bytes_of(kText), sealed);
  EXPECT_EQ(to_hex(sealed), kSealed);
}

TEST_F(XAead, OpensTheExampleOfTheDraft) {
  ByteVector text(kText.size());
  ASSERT_TRUE(xopen(key, nonce, associated, from_hex(kSealed), text));
  EXPECT_EQ(to_hex(text), to_hex(bytes_of(kText)));
}

TEST_F(XAead, RefusesEveryFlippedBitOfMessageAndNonce) {
  ByteVector sealed = from_hex(kSealed);
  ByteVector text(kText.size());
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    sealed[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_FALSE(xopen(key, nonce, associated, sealed, text)) << bit;
    sealed[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
  for (size_t bit = 0; bit < kXNonceSize * 8; ++bit) {
    ByteVector other = nonce_memory;
    other[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_FALSE(xopen(key, std::span<const uint8_t, kXNonceSize>(other), associated, sealed, text)) << bit;
  }
  EXPECT_FALSE(xopen(key, nonce, {}, sealed, text));
}

}  // namespace
}  // namespace adit::crypto
