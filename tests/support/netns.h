// Networks of their own for tests that need real sockets and interfaces: nothing there but a loopback, and nothing the
// test does reaches the machine.  On Linux they are network namespaces, for root and for everybody where user
// namespaces are allowed; on FreeBSD jails, for root, inside each other because nobody comes out of one.  One
// implementation file per system; what only Linux has is said.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "net/addr.h"
#include "net/fd.h"

namespace adit::test {

/// The loopback's interface.
extern const char* const kLoopback;

/// Moves this (single-threaded) process into a fresh network whose loopback is up, with all of 127.0.0.1 to 127.0.0.9.
/// Empty, or the reason why that is not permitted here.
std::string enter_fresh_netns();

/// Linux: a descriptor on the namespace the process is in, and the way back into one.  Throw std::system_error.
Fd current_netns();
void enter_netns(const Fd& netns);

/// Linux: gives up every privilege of this process for good: for forked children.
void drop_capabilities();
/// Linux: from now on this process has a kernel without that address family: for forked children.
void lose_family(int family);

/// Gives a socket buffers for the largest datagrams, which not every system has by itself.  Throws std::system_error.
void give_room(int fd);

/// Waits until `fd` is readable; false after five seconds (or `timeout_ms`).
bool wait_readable(int fd, int timeout_ms = 5000);

/// Waits until packets to an address that was just added are taken in; false after five seconds.  For IPv6 the kernel
/// makes the route that does it from a work queue, so a packet sent at once may be lost.
bool wait_for_address(const Ip& address);

/// Each test in a namespace of its own; skipped where there are none.
class NetnsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = enter_fresh_netns();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
};

}  // namespace adit::test
