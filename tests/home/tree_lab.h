// Trees to apply plans to: a machine's files as they were found, what is there afterwards, and commands that only write
// down what would be run.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "home/apply.h"
#include "home/manifest.h"

namespace adit::home::test {

namespace fs = std::filesystem;

/// Everything below a directory: path to "kind mode content".
using Snapshot = std::map<std::string, std::string>;

inline std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void put(const fs::path& path, const std::string& text, unsigned mode = 0644) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  fs::permissions(path, fs::perms(mode));
}

class Folder {
 public:
  Folder() {
    // In memory where that can be had: these tests wait for the disk some ten thousand times.
    const fs::path parent = fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
    std::string name = (parent / "adit-home-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

  [[nodiscard]] Snapshot snapshot() const {
    Snapshot all;
    for (const auto& entry : fs::recursive_directory_iterator(path_)) {
      const std::string mode = to_octal(static_cast<unsigned>(entry.symlink_status().permissions()));
      const std::string content = entry.is_symlink()        ? fs::read_symlink(entry.path()).string()
                                  : entry.is_regular_file() ? text_of(entry.path())
                                                            : "/";
      all[fs::relative(entry.path(), path_).string()] = mode + " " + content;
    }
    return all;
  }

 private:
  fs::path path_;
};

/// Writes down what would be run, and fails where it is told to.
class Recorder : public Runner {
 public:
  Ended run(const std::vector<std::string>& words) override {
    if (before_) before_(to_line(words));
    ran.push_back(to_line(words));
    return to_line(words).find(fails_at) == std::string::npos ? Ended{} : Ended{3, "some lines\nit is broken\n"};
  }
  std::vector<std::string> ran;
  std::string fails_at = "nothing fails";
  std::function<void(const std::string&)> before_;
};

inline const Say kSilent = [](const std::string&) {};

/// A machine that has all kinds of files, with what people do to them.
inline void furnish(const fs::path& root) {
  put(root / "etc/pf.conf",
      "# my rules\next_if = \"em0\"   \n\tset skip on lo0\n\ntable <t> { 10/8,\n 192.168/16 }\nnat on $ext_if \\\n"
      "  from <t> -> ($ext_if)\n\nblock in\npass out");
  put(root / "etc/rc.conf", "hostname=\"home\"  # a comment\r\n\n\n  sshd_enable=YES\n", 0640);
  put(root / "etc/jail.conf", "", 0600);
  put(root / "etc/sysctl.conf", "a=1\n\n# end");
  put(root / "var/db/pkg", "theirs\n");
}

/// Something of each kind.
inline Plan plan_one() {
  return {
      .files = {{"/etc/jail.conf.d/tom.conf", "tom {\n  path = \"/jails/tom\";\n}\n", 0644},
                {"/usr/local/etc/wireguard/wg0.conf", "PrivateKey = secret\n", 0600},
                {"/etc/adit/pf/tom", "pass\n", 0644}},
      .blocks = {{"/etc/pf.conf", "translation", "nat-anchor \"adit/*\"\nrdr-anchor \"adit/*\"\n",
                  adit::Place::pf_translation},
                 {"/etc/pf.conf", "filter", "anchor \"adit/*\"\n", adit::Place::end},
                 {"/etc/rc.conf", "rc", "jail_enable=YES\n", adit::Place::end},
                 {"/etc/sysctl.conf", "forwarding", "net.inet.ip.forwarding=1\n", adit::Place::end},
                 {"/etc/devfs.rules", "tun", "[devfsrules_jail_adit=61]\n", adit::Place::end}},
      .checks = {{{"pfctl", "-nf", "{/etc/pf.conf}"}, "the rules are right"}},
      .start = {{{"service", "pf", "reload"}, "rules"}, {{"service", "jail", "start", "tom"}, "the jail"}},
      .stop = {{{"service", "jail", "stop", "tom"}, "the jail"}},
  };
}

/// A later one: something new, something otherwise, something gone of each kind.
inline Plan plan_two() {
  Plan plan = plan_one();
  plan.files[0] = {"/etc/jail.conf.d/ann.conf", "ann {}\n", 0644};
  plan.files[1].text = "PrivateKey = another\n";
  plan.files.erase(plan.files.begin() + 2);
  plan.blocks[1].text = "anchor \"adit/*\" quick\n";
  plan.blocks.pop_back();  // devfs.rules, which was not there before
  plan.blocks.erase(plan.blocks.begin());
  plan.blocks.push_back({"/etc/jail.conf", "include", ".include \"x\";\n", adit::Place::end});
  plan.blocks.push_back({"/etc/login.conf", "new", "x\n", adit::Place::end});
  plan.start[1].words[3] = "ann";
  plan.stop[0].words[3] = "ann";
  return plan;
}

}  // namespace adit::home::test
