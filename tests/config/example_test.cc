// The examples a person starts from must be right as they stand.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/config/fixtures.h"

namespace adit::config {
namespace {

/// As somebody has it who copied the example and made a key.
Config load_example(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream(std::string(ADIT_SOURCE_DIR) + "/examples/" + name).rdbuf();
  const TemporaryDirectory directory;
  directory.write("wg0.key", std::string(kPrivateKey) + "\n", 0600);
  return load(directory.write("adit.toml", text.str(), 0644));
}

TEST(Examples, FactorioIsAWorkingGateway) {
  const Config config = load_example("factorio.toml");
  EXPECT_EQ(config.interface.name, "wg0");
  ASSERT_EQ(config.peers.size(), 1u);
  ASSERT_EQ(config.forwards.size(), 1u);
  EXPECT_EQ(config.forwards[0].name, "factorio");
  EXPECT_EQ(config.forwards[0].listeners.size(), 2u);
  EXPECT_EQ(config.forwards[0].listeners[0].to, *Endpoint::parse("10.1.2.2:34197"));
}

TEST(Examples, RedirectsLeadWhereThoseOfPfDo) {
  const Config config = load_example("redirects.toml");
  std::string redirects;
  for (const Forward& forward : config.forwards) {
    redirects += forward.name + (forward.protocol == Protocol::kTcp ? " tcp" : " udp");
    for (const Listener& each : forward.listeners) {
      redirects += " " + each.listen.to_string() + ">" + each.to.to_string();
    }
    redirects += "\n";
  }
  EXPECT_EQ(redirects,
            "factorio udp 0.0.0.0:34197>10.1.2.2:34197 [::]:34197>10.1.2.2:34197\n"
            "jamulus udp 0.0.0.0:22124>10.1.3.10:22124\n"
            "mariadb tcp 0.0.0.0:3306>10.1.3.4:3306 [::]:3306>10.1.3.4:3306\n"
            "dick tcp 0.0.0.0:21>10.1.3.2:21 0.0.0.0:80>10.1.3.2:80 0.0.0.0:443>10.1.3.2:443\n"
            "harry tcp 0.0.0.0:81>10.1.3.3:80\n");
}

}  // namespace
}  // namespace adit::config
