// The examples a person starts from must be right as they stand.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/config/fixtures.h"

namespace adit::config {
namespace {

TEST(Examples, FactorioIsAWorkingGateway) {
  std::ostringstream text;
  text << std::ifstream(std::string(ADIT_SOURCE_DIR) + "/examples/factorio.toml").rdbuf();
  const TemporaryDirectory directory;
  directory.write("wg0.key", std::string(kPrivateKey) + "\n", 0600);
  const Config config = load(directory.write("adit.toml", text.str(), 0644));
  EXPECT_EQ(config.interface.name, "wg0");
  ASSERT_EQ(config.peers.size(), 1u);
  ASSERT_EQ(config.forwards.size(), 1u);
  EXPECT_EQ(config.forwards[0].name, "factorio");
  EXPECT_EQ(config.forwards[0].listeners.size(), 2u);
  EXPECT_EQ(config.forwards[0].listeners[0].to, *Endpoint::parse("10.1.2.2:34197"));
}

}  // namespace
}  // namespace adit::config
