#include "home/words.h"

#include <gtest/gtest.h>

#include <string>

namespace adit::home {
namespace {

TEST(Words, NoneButCommandsAndSettingsTakeASignOfPfOrShOrJail) {
  for (const char sign : std::string("\"'`$\\;|&<>(){}[]!#*?~=,:%^@+ \t\n")) {
    const std::string text = std::string("a") + sign;
    for (auto* is_right : {is_jail_name, is_vnet_jail_name, is_interface, is_egress, is_redirect_name, is_hostname,
                           is_user, is_rc_name, is_bridge_clone}) {
      EXPECT_FALSE(is_right(text)) << text;
    }
    EXPECT_FALSE(is_path("/" + text)) << text;
  }
}

TEST(Words, OfInterfacesAreAsLongAsTheKernelTakes) {
  EXPECT_TRUE(is_interface("a23456789012345"));
  EXPECT_FALSE(is_interface("a234567890123456"));
  EXPECT_FALSE(is_interface("0a"));
  EXPECT_TRUE(is_egress("em0.100"));
  EXPECT_FALSE(is_egress("em0."));
  EXPECT_FALSE(is_egress("em0.1a"));
  EXPECT_TRUE(is_vnet_jail_name("a2345678901"));  // e0a_a2345678901
  EXPECT_FALSE(is_vnet_jail_name("a23456789012"));
  EXPECT_FALSE(is_vnet_jail_name("a-b"));
  EXPECT_TRUE(is_bridge_clone("bridge0"));
  EXPECT_FALSE(is_bridge_clone("bridge"));
  EXPECT_FALSE(is_bridge_clone("bridge01"));
}

TEST(Words, OfPathsStayWhereTheySeemToBe) {
  for (const char* path : {"/", "/jails/a-b.c_d", "/a"}) EXPECT_TRUE(is_path(path)) << path;
  for (const char* path : {"", "a", "//", "/a/", "/a//b", "/a/../b", "/..", "/.", "/a/./b"})
    EXPECT_FALSE(is_path(path)) << path;
}

TEST(Words, OfCommandsAreOneLine) {
  EXPECT_TRUE(is_command("echo \"$a\" | sh; #'"));
  EXPECT_FALSE(is_command("a\nb"));
  EXPECT_FALSE(is_command("\x7f"));
  EXPECT_FALSE(is_command("\xc3\xa4"));
  EXPECT_FALSE(is_command(""));
  EXPECT_FALSE(is_command(std::string(1001, 'a')));
}

TEST(Words, OfSettingsMeanThemselvesBetweenDoubleQuotes) {
  EXPECT_TRUE(is_rc_value("-ss; it's & fine"));
  for (const char* value : {"$a", "`a`", "\"", "\\", "a\nb"}) EXPECT_FALSE(is_rc_value(value)) << value;
}

}  // namespace
}  // namespace adit::home
