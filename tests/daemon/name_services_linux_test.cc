#include "daemon/name_services_linux.h"

#include <gtest/gtest.h>

namespace adit::daemon {
namespace {

using Names = std::vector<std::string>;

TEST(HostServices, AreTheWordsOfTheLineForHosts) {
  EXPECT_EQ(host_services("passwd: files systemd\nhosts:\tfiles  dns\nnetworks: files\n"), (Names{"files", "dns"}));
  EXPECT_EQ(host_services("  hosts: files"), (Names{"files"}));
}

TEST(HostServices, AreNeitherCommentsNorWhatIsDoneWhenOneFails) {
  EXPECT_EQ(
      host_services("# hosts: nis\nhosts: files mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns # x\n"),
      (Names{"files", "mdns4_minimal", "resolve", "dns"}));
  EXPECT_EQ(host_services("hosts: files [NOTFOUND=return dns"), (Names{"files"}));
}

TEST(HostServices, AreNoneWhereNothingIsSaid) {
  EXPECT_EQ(host_services(""), Names{});
  EXPECT_EQ(host_services("passwd: files\nhosts:\n"), Names{});
}

}  // namespace
}  // namespace adit::daemon
