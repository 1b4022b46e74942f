#include "crypto/keys.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>

#include "tests/crypto/hex.h"

namespace adit::crypto {
namespace {

// What `wg pubkey` takes as a key and what it refuses, one by one.
TEST(KeyBase64, AcceptsWhatWgAccepts) {
  for (const std::string text :
       {"GOFpmvZf2ku4OUWJ6nx0xPSYqSxIsZPvyWjSLu0jFE4=", "uGJ3c2WQXe4wFipakX12BD+oW+LewrOaUR19Gj7JKU8=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
        "//////////////////////////////////////////8="}) {
    const auto key = key_from_base64(text);
    ASSERT_TRUE(key) << text;
    EXPECT_EQ(key_to_base64(*key), text);
  }
}

TEST(KeyBase64, RefusesWhatWgRefuses) {
  for (const char* text : {
           "",
           "=",
           "GOFpmvZf2ku4OUWJ6nx0xPSYqSxIsZPvyWjSLu0jFE4",    // no padding
           "GOFpmvZf2ku4OUWJ6nx0xPSYqSxIsZPvyWjSLu0jFE4==",  // too much
           "GOFpmvZf2ku4OUWJ6nx0xPSYqSxIsZPvyWjSLu0jFE5=",   // left-over bits that are not zero
           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAC=",
           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",      // 31 bytes
           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",      // 33 bytes
           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",  // 34 bytes
           "__________________________________________8=",      // the URL alphabet
           "AAAA=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
           "AAAA AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
           " GOFpmvZf2ku4OUWJ6nx0xPSYqSxIsZPvyWjSLu0jFE4=",
           "GOFpmvZf2ku4OUWJ6nx0xPSYqSxIsZPvyWjSLu0jFE4=A",
       }) {
    EXPECT_FALSE(key_from_base64(text)) << text;
    EXPECT_FALSE(PublicKey::from_base64(text)) << text;
  }
  // Trimming white space is the business of whoever reads a file or a line.
  EXPECT_FALSE(key_from_base64("GOFpmvZf2ku4OUWJ6nx0xPSYqSxIsZPvyWjSLu0jFE4=\n"));
  EXPECT_FALSE(key_from_base64(std::string_view("AAAAAAAAAAAAAAAAAAAAA\0AAAAAAAAAAAAAAAAAAAAA=", 44)));
}

TEST(KeyBase64, KnowsTheOrderOfTheBytes) {
  KeyBytes key{};
  std::ranges::copy(counting_bytes(kKeySize), key.begin());
  EXPECT_EQ(key_to_base64(key), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
  EXPECT_EQ(key_from_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), key);
}

TEST(KeyBase64, RoundTripsEveryValueOfEveryByte) {
  for (size_t at = 0; at < kKeySize; ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      KeyBytes key{};
      key[at] = static_cast<uint8_t>(value);
      ASSERT_EQ(key_from_base64(key_to_base64(key)), key);
    }
  }
}

TEST(PublicKey, ComparesByItsBytes) {
  const auto low = PublicKey::from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=");
  const auto high = PublicKey::from_base64("//////////////////////////////////////////8=");
  ASSERT_TRUE(low && high);
  EXPECT_LT(*low, *high);
  EXPECT_NE(*low, *high);
  EXPECT_EQ(high->to_base64(), "//////////////////////////////////////////8=");
}

TEST(SecretKey, IsZeroUntilItIsGivenBytesAndAfterItIsCleared) {
  SymmetricKey key;
  EXPECT_TRUE(key.is_zero());
  for (size_t at = 0; at < kKeySize; ++at) {
    key.bytes()[at] = 1;
    EXPECT_FALSE(key.is_zero()) << at;
    key.clear();
    EXPECT_TRUE(key.is_zero());
  }
}

TEST(SecretKey, DiffersInAnyBit) {
  const PresharedKey key = generate_preshared_key();
  for (size_t bit = 0; bit < kKeySize * 8; ++bit) {
    PresharedKey other = key;
    EXPECT_EQ(other, key);
    other.bytes()[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_NE(other, key) << bit;
  }
}

TEST(SecretKey, WipesItselfWhenItDies) {
  alignas(SymmetricKey) std::array<uint8_t, sizeof(SymmetricKey)> memory;
  auto* key = new (memory.data()) SymmetricKey(key_from_hex(std::string(64, 'a')));
  ASSERT_FALSE(key->is_zero());
  std::destroy_at(key);
  EXPECT_EQ(to_hex(memory), std::string(64, '0'));
}

TEST(Wipe, OverwritesExactlyWhatItIsGiven) {
  auto memory = counting_bytes(16);
  wipe(std::span(memory).subspan(4, 8));
  EXPECT_EQ(to_hex(memory), "0001020300000000000000000c0d0e0f");
  wipe({});
}

TEST(EqualConstantTime, ComparesAllBytes) {
  const auto a = counting_bytes(16);
  EXPECT_TRUE(equal_constant_time(a, counting_bytes(16)));
  EXPECT_TRUE(equal_constant_time({}, {}));
  for (size_t at = 0; at < 16; ++at) {
    auto b = a;
    b[at] ^= 0x80;
    EXPECT_FALSE(equal_constant_time(a, b)) << at;
  }
}

TEST(GeneratePrivateKey, MakesFreshClampedKeys) {
  PrivateKey last;
  for (int round = 0; round < 64; ++round) {
    const PrivateKey key = generate_private_key();
    EXPECT_EQ(key.bytes().front() & 0x07, 0);
    EXPECT_EQ(key.bytes().back() & 0xc0, 0x40);
    EXPECT_NE(key, last);
    last = key;
  }
}

TEST(GeneratePresharedKey, MakesFreshKeysThatAreNotClamped) {
  unsigned low_bits = 0;
  unsigned high_bits = 0;
  for (int round = 0; round < 64; ++round) {
    const PresharedKey key = generate_preshared_key();
    low_bits |= key.bytes().front() & 0x07u;
    high_bits |= key.bytes().back() & 0x80u;
    EXPECT_NE(key, generate_preshared_key());
  }
  EXPECT_EQ(low_bits, 0x07u);
  EXPECT_EQ(high_bits, 0x80u);
}

}  // namespace
}  // namespace adit::crypto
