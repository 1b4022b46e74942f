// What apply has made, as text and back.
#include "home/manifest.h"

#include <gtest/gtest.h>

namespace adit::home {
namespace {

TEST(Manifest, SaysTheSameAfterItWasWrittenAndRead) {
  Manifest manifest;
  manifest.started = true;
  manifest.directories = {"/var/db/adit", "/etc/with blank"};
  manifest.files = {{"/etc/jail.conf.d/tom.conf", 0644}, {"/etc/wg0.conf", 0600}};
  manifest.created = {"/etc/pf.conf"};
  manifest.blocks = {{"/etc/pf.conf", "anchors"}};
  manifest.start = {{{"service", "jail", "start", "tom"}, "tabs\tand\nnewlines \\n"}, {{"true"}, ""}};
  manifest.stop = {{{"sh", "-c", "a\tb", ""}, "why"}};
  const Manifest read = parse_manifest(to_text(manifest));
  EXPECT_EQ(to_text(read), to_text(manifest));
  EXPECT_TRUE(read.started);
  EXPECT_EQ(read.file("/etc/wg0.conf")->mode, 0600U);
  EXPECT_TRUE(read.has_created("/etc/pf.conf"));
  EXPECT_TRUE(read.has_block("/etc/pf.conf", "anchors"));
  EXPECT_EQ(read.start[0].why, manifest.start[0].why);
  EXPECT_EQ(read.stop[0].words, manifest.stop[0].words);
}

TEST(Manifest, ThatAditDidNotWriteIsRefusedWithItsLine) {
  const auto reason = [](const std::string& text) {
    try {
      parse_manifest(text);
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_EQ(reason("adit-home\t1\n"), "none");
  EXPECT_EQ(reason(""), "line 1: not of this version of adit");
  EXPECT_EQ(reason("adit-home\t2\n"), "line 1: not of this version of adit");
  for (const char* line :
       {"dig", "file\t/etc/x", "file\t9\t/x", "file\t\t/x", "directory", "stop\twhy", "started\tx"}) {
    EXPECT_EQ(reason("adit-home\t1\nstarted\n" + std::string(line) + "\n"), "line 3: not what adit wrote") << line;
  }
}

}  // namespace
}  // namespace adit::home
