// Cookies are for floods: what some send must not cost the others theirs.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

TEST(FairLoad, APeerThatCallsTwentyTimesASecondDoesNotGetTheOthersAskedForCookies) {
  LoneTunnel lone;
  PaperPeer restless = lone.add_peer({"10.0.0.2/32"});
  PaperPeer calm = lone.add_peer({"10.0.0.3/32"});
  for (int i = 0; i < 320; ++i) {
    EXPECT_TRUE(lone.greet(restless)) << i;
    if (i % 20 == 0) {
      EXPECT_TRUE(lone.greet(calm)) << i;
    }
    lone.advance(milliseconds(50));
  }
  EXPECT_EQ(lone.drops(Drop::kUnderLoad), 0u);
}

/// Two peers with a session while strangers, who know nothing but b's public key, keep b under load.
TEST(FairLoad, AFloodOfStrangersEndsNoSessionNotEvenWhenItIsRenewed) {
  Wire wire;
  wire.send(wire.a, 100);
  PaperPeer stranger(wire.b.tunnel->public_key());
  Message junk(148);
  junk[0] = 1;
  stranger.sign(junk);
  const Endpoint nowhere = *Endpoint::parse("203.0.113.66:6");
  for (size_t i = 1; i <= 210; ++i) {  // past the 180 seconds that one session may last
    for (int n = 0; n < 200; ++n) wire.inject(wire.b, nowhere, junk);
    wire.send(wire.a, 100);
    wire.send(wire.b, 100);
    ASSERT_EQ(wire.b.received.size(), i + 1);
    ASSERT_EQ(wire.a.received.size(), i);
    wire.advance(milliseconds(900));  // the load lingers for a second
    wire.forget();
  }
  EXPECT_GT(wire.b.drops(Drop::kUnderLoad), 40'000u);
}

}  // namespace
}  // namespace adit::tunnel
