#include "config/nearest.h"

#include <gtest/gtest.h>

namespace adit::config {
namespace {

const std::vector<std::string> kKeys = {"name", "listen_port", "private_key", "private_key_file", "mtu", "allowed_ips"};

TEST(NearestName, FindsLettersLeftOutAddedChangedOrSwapped) {
  EXPECT_EQ(nearest_name("lisen_port", kKeys), "listen_port");
  EXPECT_EQ(nearest_name("listten_port", kKeys), "listen_port");
  EXPECT_EQ(nearest_name("listem_port", kKeys), "listen_port");
  EXPECT_EQ(nearest_name("mut", kKeys), "mtu");
}

TEST(NearestName, FindsTheNamesOfWgQuick) {
  EXPECT_EQ(nearest_name("ListenPort", kKeys), "listen_port");
  EXPECT_EQ(nearest_name("PrivateKey", kKeys), "private_key");
  EXPECT_EQ(nearest_name("AllowedIPs", kKeys), "allowed_ips");
}

TEST(NearestName, PrefersTheNearestOfSeveral) {
  EXPECT_EQ(nearest_name("private_key_fil", kKeys), "private_key_file");
  EXPECT_EQ(nearest_name("private_keyy", kKeys), "private_key");
}

TEST(NearestName, FindsNothingForAnotherWord) {
  EXPECT_FALSE(nearest_name("dns", kKeys));
  EXPECT_FALSE(nearest_name("post_up", kKeys));
  EXPECT_FALSE(nearest_name("", kKeys));
  EXPECT_FALSE(nearest_name("mtu", {}));
}

TEST(Suggestion, IsAQuestionOrNothing) {
  EXPECT_EQ(suggestion("lisen_port", kKeys), " (did you mean \"listen_port\"?)");
  EXPECT_EQ(suggestion("colour", kKeys), "");
}

}  // namespace
}  // namespace adit::config
