#include "daemon/journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "net/fd.h"

namespace adit::daemon {
namespace {

using log::Level;

TEST(Journal, HasThePriorityBeforeEachLine) {
  EXPECT_EQ(with_priority(Level::kDebug, "dig"), "<7>dig");
  EXPECT_EQ(with_priority(Level::kInfo, "wg0 ready"), "<6>wg0 ready");
  EXPECT_EQ(with_priority(Level::kWarning, ""), "<4>");
  EXPECT_EQ(with_priority(Level::kError, "a.toml:1:1: no\na.toml:2:1: no"), "<3>a.toml:1:1: no\n<3>a.toml:2:1: no");
}

TEST(Journal, IsThatOfTheStreamThatTheEnvironmentNames) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  struct stat file {};
  ASSERT_EQ(::fstat(writer.get(), &file), 0);
  const std::string its = std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
  EXPECT_TRUE(goes_to_journal(writer.get(), its.c_str()));
  // A service's child whose output goes elsewhere has inherited the variable.
  EXPECT_FALSE(goes_to_journal(writer.get(), (its + "0").c_str()));
  EXPECT_FALSE(goes_to_journal(writer.get(), "8"));
  EXPECT_FALSE(goes_to_journal(writer.get(), nullptr));
  EXPECT_FALSE(goes_to_journal(-1, its.c_str()));
}

}  // namespace
}  // namespace adit::daemon
