#include "daemon/loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "daemon/data_thread.h"
#include "net/clock.h"
#include "net/fd.h"

namespace adit::daemon {
namespace {

TEST(Loop, TheTimerWakesAtTheDeadlineAndNotBefore) {
  Loop loop;
  Time woken{};
  loop.on_timer([&] {
    woken = read_clock().mono;
    loop.stop();
  });
  const Time now = read_clock().mono;
  loop.arm_timer(now + seconds(100), now);
  loop.arm_timer(now + milliseconds(20), now);
  loop.run();
  EXPECT_GE(woken, now + milliseconds(20));
  EXPECT_LT(woken, now + seconds(10));
}

TEST(Loop, ADeadlineInThePastWakesAtOnce) {
  Loop loop;
  bool woken = false;
  loop.on_timer([&] {
    woken = true;
    loop.stop();
  });
  const Time now = read_clock().mono;
  loop.arm_timer(now - seconds(5), now);
  loop.run();
  EXPECT_TRUE(woken);
}

TEST(Loop, ServesDescriptorsBetweenDeadlinesThatAreAllInThePast) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  int wakes = 0;
  loop.on_readable(reader.get(), [&] { loop.stop(); });
  loop.on_timer([&] {
    if (++wakes == 1) {
      ASSERT_EQ(::write(writer.get(), "x", 1), 1);
    }
    if (wakes < 100) loop.arm_timer(Time{}, read_clock().mono);
  });
  loop.arm_timer(Time{}, read_clock().mono);
  loop.run();
  EXPECT_LE(wakes, 2);
}

TEST(Loop, IsWokenByAnotherThread) {
  Loop loop;
  const std::thread::id here = std::this_thread::get_id();
  loop.on_wake([&] {
    EXPECT_EQ(std::this_thread::get_id(), here);
    loop.stop();
  });
  std::thread other([&] { loop.wake(); });
  loop.run();
  other.join();
}

TEST(DataThread, ServesWhileItRunsAndNotBetween) {
  DataThread thread;
  thread.stop();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  std::atomic<int> served = 0;
  for (int round = 1; round <= 3; ++round) {
    thread.loop().on_readable(reader.get(), [&] {
      char byte;
      ASSERT_EQ(::read(reader.get(), &byte, 1), 1);
      ++served;
      served.notify_one();
    });
    thread.start();
    ASSERT_EQ(::write(writer.get(), "x", 1), 1);
    served.wait(round - 1);
    thread.stop();
    thread.loop().unwatch(reader.get());
    EXPECT_EQ(served, round);
  }
}

TEST(Loop, CallsTheHandlerOfAReadableDescriptorUntilItIsUnwatched) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  int calls = 0;
  loop.on_readable(reader.get(), [&] {
    if (++calls == 3) loop.unwatch(reader.get());  // nothing was read: it stays readable
  });
  loop.on_timer([&] { loop.stop(); });
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  const Time now = read_clock().mono;
  loop.arm_timer(now + milliseconds(50), now);
  loop.run();
  EXPECT_EQ(calls, 3);
}

TEST(Loop, HandsSignalsToTheirHandlers) {
  Loop loop;
  int seen = 0;
  loop.on_signal(SIGUSR1, [&] {
    seen = SIGUSR1;
    loop.stop();
  });
  ::raise(SIGUSR1);
  loop.run();
  EXPECT_EQ(seen, SIGUSR1);
}

}  // namespace
}  // namespace adit::daemon
