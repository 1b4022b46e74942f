// Two hundred configurations that nobody thought of, and what must hold of each one's plan.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "home/home.h"
#include "tests/home/plan_checks.h"
#include "tests/home/random_config.h"

namespace adit::home {
namespace {

constexpr uint32_t kConfigs = 200;

TEST(RandomPlans, HoldNothingOfThePersonsOutsideOfQuotes) {
  const char* directory = std::getenv("ADIT_HOME_PLANS");  // where to keep them
  for (uint32_t seed = 0; seed < kConfigs; ++seed) {
    const std::string text = random_config(seed);
    try {
      const HomeConfig config = parse_home(text, "home.toml");
      const Plan made = plan(config);
      EXPECT_EQ(fault_of(config, made), "") << text << text_of(made);
      EXPECT_EQ(text_of(plan(parse_home(text, "home.toml"))), text_of(made)) << "another plan the second time";
      if (directory != nullptr) write_plan(made, std::filesystem::path(directory) / std::to_string(seed));
    } catch (const config::ConfigError& error) {
      ADD_FAILURE() << "seed " << seed << "\n" << error.what() << "\n" << text;
    }
  }
}

TEST(RandomPlans, AreOfManyKinds) {
  size_t vnet = 0, jib = 0, keep = 0, linux = 0, lists = 0;
  for (uint32_t seed = 0; seed < kConfigs; ++seed) {
    const HomeConfig config = parse_home(random_config(seed), "home.toml");
    for (const Jail& jail : config.jails) {
      vnet += jail.kind == JailKind::kVnet ? 1 : 0;
      jib += jail.jib.empty() ? 0 : 1;
      linux += jail.linux ? 1 : 0;
    }
    for (const Redirect& redirect : config.redirects) {
      keep += redirect.keep ? 1 : 0;
      lists += redirect.from.empty() ? 0 : 1;
    }
  }
  for (const size_t count : {vnet, jib, keep, linux, lists}) EXPECT_GT(count, 20u);
}

}  // namespace
}  // namespace adit::home
