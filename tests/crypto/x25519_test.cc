#include "crypto/x25519.h"

#include <gtest/gtest.h>

#include "tests/crypto/hex.h"

namespace adit::crypto {
namespace {

std::string exchanged(const char* scalar, const char* point) {
  SharedSecret shared;
  if (!exchange(PrivateKey(key_from_hex(scalar)), PublicKey{key_from_hex(point)}, shared)) return "refused";
  return to_hex(shared.bytes());
}

TEST(X25519, AgreesWithRfc7748Section52) {
  EXPECT_EQ(exchanged("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                      "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(exchanged("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                      "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519, AgreesWithTheIterationsOfRfc7748Section52) {
  KeyBytes k{9};
  KeyBytes u = k;
  for (int iteration = 1; iteration <= 1000; ++iteration) {
    SharedSecret shared;
    ASSERT_TRUE(exchange(PrivateKey(k), PublicKey{u}, shared));
    u = k;
    k = shared.bytes();
    if (iteration == 1) {
      EXPECT_EQ(to_hex(k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(to_hex(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519, LeadsAliceAndBobToOneSecretAsInRfc7748Section61) {
  const PrivateKey alice(key_from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
  const PrivateKey bob(key_from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  EXPECT_EQ(to_hex(public_key_of(alice).bytes), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(to_hex(public_key_of(bob).bytes), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");

  SharedSecret of_alice, of_bob;
  ASSERT_TRUE(exchange(alice, public_key_of(bob), of_alice));
  ASSERT_TRUE(exchange(bob, public_key_of(alice), of_bob));
  EXPECT_EQ(to_hex(of_alice.bytes()), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_EQ(of_alice, of_bob);
}

// Every point whose order divides 8, on the curve and on its twist, in every encoding that 255 bits allow.
constexpr const char* kLowOrderPoints[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",  // 0
    "0100000000000000000000000000000000000000000000000000000000000000",  // 1
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",  // order 8
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",  // order 8
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p - 1
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p     = 0
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p + 1 = 1
};

TEST(X25519, RefusesPointsOfLowOrderAndLeavesNoSecret) {
  const PrivateKey ours = generate_private_key();
  for (const char* point : kLowOrderPoints) {
    PublicKey theirs{key_from_hex(point)};
    for (const uint8_t highest_bit : {uint8_t{0x00}, uint8_t{0x80}}) {  // ignored, RFC 7748 5
      theirs.bytes.back() |= highest_bit;
      SharedSecret shared(key_from_hex("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"));
      EXPECT_FALSE(exchange(ours, theirs, shared)) << to_hex(theirs.bytes);
      EXPECT_TRUE(shared.is_zero());
    }
  }
}

TEST(X25519, ClampsPrivateKeysWhenTheyAreUsed) {
  PrivateKey key = generate_private_key();
  const PublicKey clamped = public_key_of(key);
  key.bytes().front() |= 0x07;
  key.bytes().back() ^= 0xc0;
  EXPECT_EQ(public_key_of(key), clamped);
}

// Pairs made with `wg genkey` and `wg pubkey`.
TEST(X25519, MakesThePublicKeysThatWgMakes) {
  const struct {
    const char *private_key, *public_key;
  } cases[] = {{"uGJ3c2WQXe4wFipakX12BD+oW+LewrOaUR19Gj7JKU8=", "/Dfl2f5qxma69srTdqpx7mC8jXL2RG7oWA4wr3JQVTo="},
               {"GOFpmvZf2ku4OUWJ6nx0xPSYqSxIsZPvyWjSLu0jFE4=", "x5lyhRVUnhlQs/Gmg6Ujz0qenEOUbEpSneOKUJRpflw="},
               {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "L+V9o0fNYkMVKNqsX7spBzD/9oSvxM/C7ZCZX1jLO3Q="},
               {"//////////////////////////////////////////8=", "hHwNLDdSNPNl5mCVUYejc1oPdhPRYJ06ak2MU66qWiI="}};
  for (const auto& test : cases) {
    const auto key = key_from_base64(test.private_key);
    ASSERT_TRUE(key);
    EXPECT_EQ(public_key_of(PrivateKey(*key)).to_base64(), test.public_key);
  }
}

}  // namespace
}  // namespace adit::crypto
