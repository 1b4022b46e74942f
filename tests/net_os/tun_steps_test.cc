#include "net/tun_steps.h"

#include <gtest/gtest.h>

#include <map>
#include <system_error>
#include <vector>

namespace adit {
namespace {

using Words = std::vector<std::string>;

/// A FreeBSD on paper, whose next tun is tun7: what is asked of it is written down.
class Recorder : public TunSystem {
 public:
  int create_interface(std::string& name) override {
    name = "tun7";
    return call("create");
  }
  int open_device(const std::string& name) override { return call("open " + name); }
  void close_device() noexcept override { call("close"); }
  int set(Set what) override {
    return call(what == Set::kTransient ? "transient" : what == Set::kHeader ? "header" : "broadcast");
  }
  int rename_interface(const std::string& from, const std::string& to) override {
    return call("rename " + from + " " + to);
  }
  void destroy_interface(const std::string& name) noexcept override { call("destroy " + name); }
  bool is_in_jail_without_network() override { return in_bare_jail; }

  Words calls;
  std::map<std::string, int> errors;  // of those calls, by their first word
  bool in_bare_jail = false;

 private:
  int call(const std::string& what) {
    calls.push_back(what);
    const auto error = errors.find(what.substr(0, what.find(' ')));
    return error == errors.end() ? 0 : error->second;
  }
};

std::string error_of(Recorder& system, const std::string& name = "wg0") {
  try {
    make_tun(system, name);
  } catch (const std::system_error& error) {
    return error.what();
  }
  return "no error";
}

std::string text_of(int error) { return "create tun wg0: " + std::generic_category().message(error); }

TEST(TunSteps, TheInterfaceComesFirstAndItsNameLast) {
  Recorder system;
  make_tun(system, "wg0");
  EXPECT_EQ(system.calls, (Words{"create", "open tun7", "transient", "header", "broadcast", "rename tun7 wg0"}));
}

TEST(TunSteps, ANameThatTheKernelHasChosenIsLeftAlone) {
  Recorder system;
  make_tun(system, "tun7");
  EXPECT_EQ(system.calls.back(), "broadcast");
}

TEST(TunSteps, SystemsWithoutTransientTunsHaveOrdinaryOnes) {
  Recorder system;
  system.errors = {{"transient", ENOTTY}};
  EXPECT_EQ(error_of(system), "no error");
  EXPECT_EQ(system.calls.back(), "rename tun7 wg0");
}

TEST(TunSteps, WhateverFailsTheDeviceIsClosedBeforeTheInterfaceIsDestroyed) {
  for (const char* step : {"open", "transient", "header", "broadcast", "rename"}) {
    Recorder system;
    system.errors = {{step, EIO}};
    EXPECT_EQ(error_of(system), text_of(EIO));
    ASSERT_GE(system.calls.size(), 3u);
    EXPECT_EQ(Words(system.calls.end() - 2, system.calls.end()), (Words{"close", "destroy tun7"})) << step;
    EXPECT_EQ(system.calls[system.calls.size() - 3].find(step), 0u) << "nothing more is tried";
  }
}

TEST(TunSteps, WhereNothingWasMadeNothingIsDestroyed) {
  Recorder system;
  system.errors = {{"create", EPERM}};
  EXPECT_NE(error_of(system), "no error");
  EXPECT_EQ(system.calls, Words{"create"});
}

TEST(TunSteps, AnErrorSaysWhatToDo) {
  Recorder hidden;
  hidden.errors = {{"open", ENOENT}};
  EXPECT_EQ(error_of(hidden),
            text_of(ENOENT) +
                " (the jail does not see /dev/tun7: its ruleset in /etc/devfs.rules of the host, which "
                "devfs_ruleset in jail.conf names, needs the line: add path 'tun*' unhide)");
  Recorder user;
  user.errors = {{"create", EPERM}};
  EXPECT_EQ(error_of(user),
            text_of(EPERM) + " (it needs root, in a jail with vnet; in jail.conf; tun = false works without)");
  user.in_bare_jail = true;
  EXPECT_NE(error_of(user).find("this jail shares its host's network"), std::string::npos);
  Recorder taken;
  taken.errors = {{"rename", EEXIST}};
  EXPECT_EQ(error_of(taken), text_of(EEXIST) + " (an interface of this name exists already)");
  Recorder bare;
  bare.errors = {{"create", EINVAL}};
  EXPECT_NE(error_of(bare).find("kldload if_tuntap"), std::string::npos);
}

TEST(TunSteps, ANameThatIsTooLongIsRefusedBeforeAnythingIsMade) {
  for (const char* name : {"", "sixteen-bytes-oh"}) {
    Recorder system;
    EXPECT_NE(error_of(system, name).find("an interface name has 1 to 15 bytes"), std::string::npos);
    EXPECT_TRUE(system.calls.empty());
  }
}

}  // namespace
}  // namespace adit
