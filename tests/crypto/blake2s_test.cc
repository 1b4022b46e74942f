#include "crypto/blake2s.h"

#include <gtest/gtest.h>

#include "tests/crypto/hex.h"

namespace adit::crypto {
namespace {

std::vector<uint8_t> digest(size_t size, std::span<const uint8_t> key, std::span<const uint8_t> data) {
  Blake2s hasher(size, key);
  hasher.update(data);
  std::vector<uint8_t> out(size);
  hasher.finish(out);
  return out;
}

TEST(Blake2s, HashesAbcAsRfc7693AppendixB) {
  EXPECT_EQ(to_hex(blake2s({bytes_of("abc")})), "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
}

TEST(Blake2s, PassesTheSelfTestOfRfc7693AppendixE) {
  const auto sequence = [](size_t size, uint32_t seed) {
    std::vector<uint8_t> bytes(size);
    uint32_t a = 0xdead4bad * seed;
    uint32_t b = 1;
    for (uint8_t& byte : bytes) {
      const uint32_t next = a + b;
      a = b;
      b = next;
      byte = static_cast<uint8_t>(next >> 24);
    }
    return bytes;
  };
  Blake2s all;
  for (const uint32_t digest_size : {16u, 20u, 28u, 32u}) {
    for (const uint32_t size : {0u, 3u, 64u, 65u, 255u, 1024u}) {
      const auto data = sequence(size, size);
      all.update(digest(digest_size, {}, data));
      all.update(digest(digest_size, sequence(digest_size, digest_size), data));
    }
  }
  Hash result;
  all.finish(result);
  EXPECT_EQ(to_hex(result), "6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe");
}

TEST(Blake2s, AgreesWithThePublishedKeyedAnswersAroundBlockBorders) {
  const struct {
    size_t size;
    const char* answer;
  } cases[] = {{0, "48a8997da407876b3d79c0d92325ad3b89cbb754d86ab71aee047ad345fd2c49"},
               {1, "40d15fee7c328830166ac3f918650f807e7e01e177258cdc0a39b11f598066f1"},
               {63, "c65382513f07460da39833cb666c5ed82e61b9e998f4b0c4287cee56c3cc9bcd"},
               {64, "8975b0577fd35566d750b362b0897a26c399136df07bababbde6203ff2954ed4"},
               {65, "21fe0ceb0052be7fb0f004187cacd7de67fa6eb0938d927677f2398c132317a8"},
               {128, "0c311f38c35a4fb90d651c289d486856cd1413df9b0677f53ece2cd9e477c60a"},
               {255, "3fb735061abc519dfe979e54c1ee5bfad0a9d858b3315bad34bde999efd724dd"}};
  const auto key = counting_bytes(32);
  for (const auto& test : cases)
    EXPECT_EQ(to_hex(digest(32, key, counting_bytes(test.size))), test.answer) << test.size;
}

TEST(Blake2s, GivesTheSameHashHoweverTheInputIsSplit) {
  const auto key = counting_bytes(32);
  for (size_t size = 0; size <= 200; ++size) {
    const auto data = counting_bytes(size);
    const auto whole = digest(32, key, data);
    for (size_t split = 0; split <= size; ++split) {
      Blake2s hasher(32, key);
      hasher.update(std::span(data).first(split)).update(std::span(data).subspan(split));
      Hash parts;
      hasher.finish(parts);
      ASSERT_TRUE(std::ranges::equal(parts, whole)) << size << " bytes split at " << split;
    }
  }
}

TEST(Blake2s, GivesTheSameHashByteByByte) {
  const auto data = counting_bytes(1000);
  Blake2s hasher;
  for (const uint8_t byte : data) hasher.update({&byte, 1});
  Hash hash;
  hasher.finish(hash);
  EXPECT_EQ(hash, blake2s({data}));
}

TEST(Blake2s, HashesTheConcatenationOfItsParts) {
  EXPECT_EQ(blake2s({bytes_of("ab"), {}, bytes_of("c")}), blake2s({bytes_of("abc")}));
  EXPECT_EQ(blake2s({}), blake2s({bytes_of("")}));
}

TEST(Blake2s, CanContinueFromACopyOfItsState) {
  Blake2s hasher;
  hasher.update(bytes_of("a"));
  Blake2s copy = hasher;
  Hash unused;
  hasher.finish(unused);
  copy.update(bytes_of("bc"));
  Hash hash;
  copy.finish(hash);
  EXPECT_EQ(hash, blake2s({bytes_of("abc")}));
}

TEST(Blake2s, WritesNoMoreThanTheDigestSize) {
  std::array<uint8_t, 8> out;
  out.fill(0xee);
  Blake2s(3).finish(out);
  EXPECT_EQ(to_hex(std::span(out).subspan(3)), "eeeeeeeeee");
}

TEST(Blake2sMac, IsKeyedBlake2sWithSixteenBytes) {
  const auto key = counting_bytes(32);
  EXPECT_EQ(to_hex(blake2s_mac(key, {bytes_of("a"), bytes_of("bc")})), "61ba5f165c194692e09d12520cc4c74a");
}

// Inputs after RFC 4231; answers by Python's hmac and hashlib.
TEST(HmacBlake2s, AgreesWithAnotherImplementationForEveryKindOfKey) {
  const struct {
    std::string key, data;
    const char* answer;
  } cases[] = {
      {"", "", "eaf4bb25938f4d20e72656bbbc7a9bf63c0c18537333c35bdb67db1402661acd"},
      {std::string(20, '\x0b'), "Hi There", "65a8b7c5cc9136d424e82c37e2707e74e913c0655b99c75f40edf387453a3260"},
      {"Jefe", "what do ya want for nothing?", "90b6281e2f3038c9056af0b4a7e763cae6fe5d9eb4386a0ec95237890c104ff0"},
      {std::string(64, '\xaa'), "block sized key", "27a8f8eb06b7f448df0cc0580e81f25beb836fde9264e93c7181785e70bddf53"},
      {std::string(65, '\xaa'), "one byte too long",
       "ccb9f53916b221b12296fb01b1be74293a17302f64468afa1540b8a1d87eccac"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "d23d79394f53d536a096e6514447eeaabb05ded01be32c1937da6a8f7103bc4e"}};
  for (const auto& test : cases) {
    EXPECT_EQ(to_hex(hmac_blake2s(bytes_of(test.key), {bytes_of(test.data)})), test.answer) << test.data;
  }
}

TEST(HmacBlake2s, AuthenticatesTheConcatenationOfItsParts) {
  EXPECT_EQ(hmac_blake2s(bytes_of("Jefe"), {bytes_of("what do ya want"), bytes_of(" for nothing?")}),
            hmac_blake2s(bytes_of("Jefe"), {bytes_of("what do ya want for nothing?")}));
}

}  // namespace
}  // namespace adit::crypto
