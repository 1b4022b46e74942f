// The examples of docs/home and the plans they lead to.  ADIT_UPDATE_GOLDEN=1 writes the expected ones anew;
// ADIT_HOME_PLANS=DIR keeps the files of all plans, for FreeBSD's own parsers.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/config.h"
#include "home/home.h"
#include "tests/home/plan_checks.h"

namespace adit::home {
namespace {

const std::string kExamples = std::string(ADIT_SOURCE_DIR) + "/docs/home/";
const std::string kGolden = std::string(ADIT_SOURCE_DIR) + "/tests/home/golden/";

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class Example : public testing::TestWithParam<const char*> {};

TEST_P(Example, LeadsToThePlanThatIsKnownToBeRight) {
  const HomeConfig config = load_home(kExamples + GetParam() + ".toml");
  const Plan made = plan(config);
  const std::string text = text_of(made);
  const std::string golden = kGolden + GetParam() + ".txt";
  if (std::getenv("ADIT_UPDATE_GOLDEN") != nullptr) std::ofstream(golden) << text;
  EXPECT_EQ(text, read_file(golden));
  EXPECT_EQ(fault_of(config, made), "");
  const char* directory = std::getenv("ADIT_HOME_PLANS");
  if (directory != nullptr) write_plan(made, std::filesystem::path(directory) / GetParam());
}

INSTANTIATE_TEST_SUITE_P(Home, Example, testing::Values("factorio", "site-to-site", "database", "jamulus", "ports"),
                         [](const auto& name) {
                           std::string text = name.param;
                           std::erase(text, '-');
                           return text;
                         });

TEST(Examples, AllHaveAGoldenPlan) {
  for (const auto& entry : std::filesystem::directory_iterator(kExamples)) {
    if (entry.path().extension() != ".toml") continue;
    EXPECT_TRUE(std::filesystem::exists(kGolden + entry.path().stem().string() + ".txt")) << entry.path();
  }
}

/// The gateway's own reader takes what is written for an adit in a jail, but for the key, which is not there.
TEST(Examples, OfAnAditInAJailGiveItAConfigurationThatItTakes) {
  int found = 0;
  for (const OwnFile& file : plan(load_home(kExamples + "site-to-site.toml")).files) {
    if (!file.path.ends_with(".toml")) continue;
    ++found;
    std::string text = file.text;
    const std::string key_line = "private_key_file = \"/usr/local/etc/adit/wg0.key\"";
    const size_t at = text.find(key_line);
    ASSERT_NE(at, text.npos) << text;
    text.replace(at, key_line.size(), "private_key = \"EPQ3i7Tv308oEvaGTbgPrOdYA4W5qikCxvo96t6+Rk8=\"");
    EXPECT_NO_THROW(config::parse(text, "adit.toml", "/nonexistent")) << text;
  }
  EXPECT_EQ(found, 2);
}

}  // namespace
}  // namespace adit::home
