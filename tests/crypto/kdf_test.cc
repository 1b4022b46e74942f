#include "crypto/kdf.h"

#include <gtest/gtest.h>

#include "tests/crypto/hex.h"

namespace adit::crypto {
namespace {

// The vectors published with wireguard-go.
constexpr struct {
  const char *key, *input, *t1, *t2, *t3;
} kCases[] = {
    {"746573742d6b6579", "746573742d696e707574", "6f0e5ad38daba1bea8a0d213688736f19763239305e0f58aba697f9ffc41c633",
     "df1194df20802a4fe594cde27e92991c8cae66c366e8106aaa937a55fa371e8a",
     "fac6e2745a325f5dc5d11a5b165aad08b0ada28e7b4e666b7c077934a4d76c24"},
    {"776972656775617264", "776972656775617264", "491d43bbfdaa8750aaf535e334ecbfe5129967cd64635101c566d4caefda96e8",
     "1e71a379baefd8a79aa4662212fcafe19a23e2b609a3db7d6bcba8f560e3d25f",
     "31e1ae48bddfbe5de38f295e5452b1909a1b4e38e183926af3780b0c1e1f0160"},
    {"", "", "8387b46bf43eccfcf349552a095d8315c4055beb90208fb1be23b894bc2ed5d0",
     "58a0e5f6faefccf4807bff1f05fa8a9217945762040bcec2f4b4a62bdfe0e86e",
     "0ce6ea98ec548f8e281e93e32db65621c45eb18dc6f0a7ad94178610a2f7338e"}};

TEST(Kdf, AgreesWithThePublishedVectorsForOneTwoAndThreeOutputs) {
  for (const auto& test : kCases) {
    const auto key = from_hex(test.key);
    const auto input = from_hex(test.input);
    Hash t1, t2, t3;
    kdf1(key, input, t1);
    EXPECT_EQ(to_hex(t1), test.t1);

    t1 = {};
    kdf2(key, input, t1, t2);
    EXPECT_EQ(to_hex(t1), test.t1);
    EXPECT_EQ(to_hex(t2), test.t2);

    t1 = t2 = {};
    kdf3(key, input, t1, t2, t3);
    EXPECT_EQ(to_hex(t1), test.t1);
    EXPECT_EQ(to_hex(t2), test.t2);
    EXPECT_EQ(to_hex(t3), test.t3);
  }
}

TEST(Kdf, MayWriteItsOutputsOverItsInputs) {
  const Hash chaining_key = blake2s({bytes_of("chaining key")});
  const Hash input = blake2s({bytes_of("input")});
  Hash t1, t2, t3;
  kdf3(chaining_key, input, t1, t2, t3);

  Hash first = chaining_key, second = input, third;
  kdf3(first, second, first, second, third);
  EXPECT_EQ(first, t1);
  EXPECT_EQ(second, t2);
  EXPECT_EQ(third, t3);

  first = chaining_key, second = input;
  kdf2(first, second, second, first);
  EXPECT_EQ(second, t1);
  EXPECT_EQ(first, t2);

  first = chaining_key;
  kdf1(first, input, first);
  EXPECT_EQ(first, t1);
}

}  // namespace
}  // namespace adit::crypto
