// Project Wycheproof's vectors: corners of Poly1305's arithmetic and of the curve's, modified tags, forged points. They
// are not in this repository; ADIT_WYCHEPROOF names the directory testvectors_v1 of github.com/C2SP/wycheproof, and
// without it these tests are skipped.
//
// WireGuard's nonces begin with four zero bytes, which leaves 10 vectors of ChaCha20-Poly1305, all with associated
// data; the others cannot be asked of any door.  But XChaCha20-Poly1305 is ChaCha20-Poly1305 with such a nonce and a
// key from HChaCha20, so all its vectors of 24-byte nonces run through the single door, and the 45 without associated
// data through the batch door.  Nonces of other sizes are refused by the types.
#include <gtest/gtest.h>
#include <sodium.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "crypto/aead.h"
#include "crypto/aead_impl.h"
#include "crypto/x25519.h"
#include "tests/crypto/hex.h"

namespace adit::crypto {
namespace {

using ByteVector = std::vector<uint8_t>;

class Wycheproof : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("ADIT_WYCHEPROOF") == nullptr) GTEST_SKIP() << "ADIT_WYCHEPROOF names no directory of vectors";
  }

  static std::vector<nlohmann::json> vectors(const std::string& name) {
    std::ifstream file(std::getenv("ADIT_WYCHEPROOF") + ("/" + name));
    const auto document = nlohmann::json::parse(file);
    std::vector<nlohmann::json> all;
    for (const auto& group : document.at("testGroups")) {
      all.insert(all.end(), group.at("tests").begin(), group.at("tests").end());
    }
    return all;
  }
};

ByteVector bytes_at(const nlohmann::json& vector, const char* field) {
  return from_hex(vector.at(field).get<std::string>());
}

/// A vector of either AEAD.
struct AeadVector {
  explicit AeadVector(const nlohmann::json& vector)
      : number(vector.at("tcId")),
        key(key_from_hex(vector.at("key").get<std::string>())),
        nonce(bytes_at(vector, "iv")),
        associated(bytes_at(vector, "aad")),
        text(bytes_at(vector, "msg")),
        sealed(bytes_at(vector, "ct")),
        valid(vector.at("result") == "valid") {
    const ByteVector tag = bytes_at(vector, "tag");
    sealed.insert(sealed.end(), tag.begin(), tag.end());
  }

  int number;
  SymmetricKey key;
  ByteVector nonce, associated, text, sealed;
  bool valid;
};

uint64_t little_endian(std::span<const uint8_t> bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes.size(); ++i) number |= uint64_t{bytes[i]} << 8 * i;
  return number;
}

/// draft-irtf-cfrg-xchacha 2.3: the key and the counter that XChaCha20-Poly1305 hands to ChaCha20-Poly1305.
SymmetricKey subkey_of(const AeadVector& vector) {
  SymmetricKey subkey;
  crypto_core_hchacha20(subkey.bytes().data(), vector.nonce.data(), vector.key.bytes().data(), nullptr);
  return subkey;
}
uint64_t counter_of(const AeadVector& vector) { return little_endian(std::span(vector.nonce).last(8)); }

void expect_at_the_single_door(const AeadVector& vector, const SymmetricKey& key) {
  ByteVector out(vector.text.size());
  const bool opened = open(key, counter_of(vector), vector.associated, vector.sealed, out);
  ASSERT_EQ(opened, vector.valid) << vector.number;
  if (!vector.valid) return;
  EXPECT_EQ(out, vector.text) << vector.number;
  ByteVector sealed(vector.sealed.size());
  seal(key, counter_of(vector), vector.associated, vector.text, sealed);
  EXPECT_EQ(sealed, vector.sealed) << vector.number;
}

class WycheproofXAead : public Wycheproof {
 protected:
  void SetUp() override {
    Wycheproof::SetUp();
    if (IsSkipped()) return;
    for (const auto& vector : vectors("xchacha20_poly1305_test.json")) {
      if (vector.at("iv").get<std::string>().size() == 2 * kXNonceSize) all.emplace_back(vector);
    }
    ASSERT_GE(all.size(), 306u);
  }
  std::vector<AeadVector> all;
};

TEST_F(Wycheproof, ChaCha20Poly1305AtTheSingleDoor) {
  constexpr std::string_view kFourZeros = "00000000";
  size_t ours = 0;
  for (const auto& json : vectors("chacha20_poly1305_test.json")) {
    const std::string nonce = json.at("iv");
    if (nonce.size() != 2 * 12 || !nonce.starts_with(kFourZeros)) continue;
    const AeadVector vector(json);
    expect_at_the_single_door(vector, vector.key);
    ++ours;
  }
  EXPECT_GE(ours, 10u);
}

TEST_F(WycheproofXAead, AtTheDoorForCookies) {
  for (const AeadVector& vector : all) {
    const auto nonce = std::span(vector.nonce).first<kXNonceSize>();
    ByteVector out(vector.text.size());
    ASSERT_EQ(xopen(vector.key, nonce, vector.associated, vector.sealed, out), vector.valid) << vector.number;
    if (!vector.valid) continue;
    EXPECT_EQ(out, vector.text) << vector.number;
    ByteVector sealed(vector.sealed.size());
    xseal(vector.key, nonce, vector.associated, vector.text, sealed);
    EXPECT_EQ(sealed, vector.sealed) << vector.number;
  }
}

TEST_F(WycheproofXAead, InsideAtTheSingleDoor) {
  for (const AeadVector& vector : all) expect_at_the_single_door(vector, subkey_of(vector));
}

class WycheproofBatch : public WycheproofXAead, public testing::WithParamInterface<const AeadImpl*> {
 protected:
  void SetUp() override {
    WycheproofXAead::SetUp();
    std::erase_if(all, [](const AeadVector& vector) { return !vector.associated.empty(); });
    for (const AeadVector& vector : all) keys.push_back(subkey_of(vector));
  }

  std::vector<SymmetricKey> keys;
};

INSTANTIATE_TEST_SUITE_P(, WycheproofBatch,
                         testing::ValuesIn(available_implementations().begin(), available_implementations().end()),
                         [](const auto& instance) { return std::string(instance.param->name); });

TEST_P(WycheproofBatch, OpensAndSealsTheInside) {
  ASSERT_GE(all.size(), 45u);
  std::vector<ByteVector> memory;
  std::vector<OpenJob> opens;
  for (const AeadVector& vector : all) memory.push_back(vector.sealed);
  for (size_t i = 0; i < all.size(); ++i) opens.push_back({&keys[i], counter_of(all[i]), memory[i], !all[i].valid});
  GetParam()->open_batch(opens);

  std::vector<SealJob> seals;
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(opens[i].ok, all[i].valid) << all[i].number;
    if (!all[i].valid) continue;
    EXPECT_TRUE(std::ranges::equal(std::span(memory[i]).first(all[i].text.size()), all[i].text)) << all[i].number;
    std::ranges::fill(std::span(memory[i]).last(kTagSize), uint8_t{0});
    seals.push_back({&keys[i], counter_of(all[i]), memory[i]});
  }
  GetParam()->seal_batch(seals);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(!all[i].valid || memory[i] == all[i].sealed) << all[i].number;
  }
}

TEST_P(WycheproofBatch, OpensEachAlone) {
  for (size_t i = 0; i < all.size(); ++i) {
    ByteVector memory = all[i].sealed;
    OpenJob job{&keys[i], counter_of(all[i]), memory, !all[i].valid};
    GetParam()->open_batch({&job, 1});
    EXPECT_EQ(job.ok, all[i].valid) << all[i].number;
  }
}

// "acceptable" are public keys of low order, on the twist, or not in canonical form.  RFC 7748 takes all of them;
// WireGuard refuses the ones whose result is zero.
TEST_F(Wycheproof, X25519) {
  const auto all = vectors("x25519_test.json");
  ASSERT_GE(all.size(), 518u);
  size_t refused = 0;
  for (const auto& vector : all) {
    const KeyBytes expected = key_from_hex(vector.at("shared").get<std::string>());
    SharedSecret shared;
    const bool usable = exchange(PrivateKey(key_from_hex(vector.at("private").get<std::string>())),
                                 PublicKey{key_from_hex(vector.at("public").get<std::string>())}, shared);
    EXPECT_EQ(usable, expected != KeyBytes{}) << vector.at("tcId");
    EXPECT_EQ(shared.bytes(), expected) << vector.at("tcId");
    refused += !usable;
  }
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace adit::crypto
