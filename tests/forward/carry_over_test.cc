// Flows that go from one forwarder to the next.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "forward/forwarder.h"
#include "tests/forward/bench.h"

namespace adit::forward {
namespace {

const Endpoint kService = endpoint("10.1.2.2:34197");
const Time kReload = at(seconds(20));

Rule game() {
  Rule rule = rule_to("10.1.2.2:34197");
  rule.listeners[0].listen = endpoint("203.0.113.1:34197");
  return rule;
}

/// What a forwarder with `game` had: one flow of each state.
std::vector<SavedFlow> three_flows() {
  Bench bench(settings_of({game()}));
  const Endpoint first = bench.open(from("198.51.100.1:5000"), at(seconds(0)));
  bench.establish(from("198.51.100.2:5000"), at(seconds(5)));
  bench.open(from("198.51.100.3:5000"), at(seconds(10)));
  bench.answer(kService, first, "x", at(seconds(12)));
  return bench.forwarder().save(kReload);
}

/// How many of them a forwarder with changed settings takes.
size_t taken_with(const std::function<void(Settings&)>& change) {
  Settings settings = settings_of({game()});
  change(settings);
  Forwarder next(std::move(settings));
  const std::vector<SavedFlow> saved = three_flows();
  return next.restore(saved, kReload);
}

TEST(CarryOver, ClientAndServiceNoticeNothing) {
  Bench old(settings_of({game()}));
  const Endpoint ours = old.establish(from("198.51.100.1:5000"), at(seconds(0)));
  // The rule is another one's neighbour now, and has another number.
  Rule other = rule_to("10.1.2.9:1");
  other.listeners[0].listen = endpoint("203.0.113.1:1");
  Bench next(settings_of({other, game()}));
  EXPECT_EQ(next.forwarder().restore(old.forwarder().save(kReload), kReload), 1u);
  EXPECT_EQ(next.forwarder().next_deadline(), at(seconds(180))) << "it was idle for 20 seconds";
  EXPECT_EQ(next.stats(1).flows_established, 1u);
  EXPECT_EQ(next.answer(kService, ours, "x", kReload), Release::kToPublic);
  EXPECT_EQ(next.to(), from("198.51.100.1:5000", "203.0.113.1", 1));
  EXPECT_EQ(next.open(from("198.51.100.1:5000", "203.0.113.1", 1), kReload), ours);
}

TEST(CarryOver, SaysWhatAFlowWas) {
  const std::vector<SavedFlow> saved = three_flows();
  ASSERT_EQ(saved.size(), 3u);
  EXPECT_EQ(saved[0].client, endpoint("198.51.100.3:5000"));
  EXPECT_EQ(saved[0].state, FlowState::kUnanswered);
  EXPECT_EQ(saved[0].idle, seconds(10));
  EXPECT_EQ(saved[1].state, FlowState::kAnswered);
  EXPECT_EQ(saved[1].idle, seconds(8));
  EXPECT_EQ(saved[2].state, FlowState::kEstablished);
  EXPECT_EQ(saved[2].listen, endpoint("203.0.113.1:34197"));
  EXPECT_EQ(saved[2].local, ip("203.0.113.1"));
  EXPECT_EQ(saved[2].remote, kService);
  EXPECT_EQ(saved[2].ours.ip, ip("10.1.2.5"));
}

TEST(CarryOver, LeavesOutWhatTheNewSettingsDoNotAdmit) {
  EXPECT_EQ(taken_with([](Settings&) {}), 3u);
  EXPECT_EQ(taken_with([](Settings& to) { to.rules.clear(); }), 0u);
  EXPECT_EQ(taken_with([](Settings& to) { ++to.rules[0].listeners[0].listen.port; }), 0u);
  EXPECT_EQ(taken_with([](Settings& to) { ++to.rules[0].listeners[0].to.port; }), 0u);
  EXPECT_EQ(taken_with([](Settings& to) { to.rules[0].source = Source::kKeep; }), 0u);
  EXPECT_EQ(taken_with([](Settings& to) { to.our_v4 = ip("10.1.2.6"); }), 0u);
  EXPECT_EQ(taken_with([](Settings& to) { to.our_v4.reset(); }), 0u);
  EXPECT_EQ(taken_with([](Settings& to) { to.our_v6.reset(); }), 3u);
  EXPECT_EQ(taken_with([](Settings& to) { to.first_snat_port = to.last_snat_port = 40000; }), 0u);
  EXPECT_EQ(taken_with([](Settings& to) { to.rules[0].unanswered_timeout = seconds(10); }), 2u);
  EXPECT_EQ(taken_with([](Settings& to) { to.rules[0].idle_timeout = seconds(9); }), 2u);
  EXPECT_EQ(taken_with([](Settings& to) { to.rules[0].max_flows_per_source = 0; }), 0u);
  EXPECT_EQ(taken_with([](Settings& to) {
              to.rules[0].from.emplace();
              to.rules[0].from->set(Prefix::parse("198.51.100.2/31").value(), true);
            }),
            2u);
}

TEST(CarryOver, OfTooManyTheProvenAndTheLivelyStay) {
  Settings settings = settings_of({game()});
  settings.rules[0].max_flows = 2;
  Forwarder next(std::move(settings));
  EXPECT_EQ(next.restore(three_flows(), kReload), 2u);
  EXPECT_EQ(next.stats(0).flows_established, 1u);
  EXPECT_EQ(next.stats(0).flows_unanswered, 0u);
}

TEST(CarryOver, NewFlowsGetOtherPorts) {
  Settings settings = settings_of({game()});
  Bench old(settings);
  const Endpoint ours = old.establish(from("198.51.100.1:5000"));
  Bench next(settings);  // the same seed: it would begin with the same port
  ASSERT_EQ(next.forwarder().restore(old.forwarder().save(kReload), kReload), 1u);
  EXPECT_NE(next.establish(from("198.51.100.2:5000"), kReload), ours);
}

TEST(CarryOver, TwoThatWantOneTunnelSideAreOne) {
  std::vector<SavedFlow> saved = three_flows();
  saved[1].ours = saved[0].ours;
  saved.push_back(saved[2]);
  Forwarder next(settings_of({game()}));
  EXPECT_EQ(next.restore(saved, kReload), 2u);
}

TEST(CarryOver, NonsenseIsLeftOut) {
  const SavedFlow good = three_flows().front();
  std::array<SavedFlow, 5> bad = {good, good, good, good, good};
  bad[0].idle = Duration(-1);
  bad[1].idle = Duration::max();
  bad[2].state = static_cast<FlowState>(7);
  bad[3].ours.scope = 3;
  bad[4].ours.port = 0;
  Settings settings = settings_of({game()});
  settings.rules[0].idle_timeout = settings.rules[0].unanswered_timeout = Duration::max();
  Forwarder next(std::move(settings));
  EXPECT_EQ(next.restore(bad, kReload), 0u);
  EXPECT_EQ(next.stats(0).flows, 0u);
}

TEST(CarryOver, AFlowMayHaveBeenIdleForLongerThanTheMachineIsUp) {
  Forwarder next(settings_of({game()}));
  std::vector<SavedFlow> saved = three_flows();
  for (SavedFlow& each : saved) each.idle = seconds(100);
  EXPECT_EQ(next.restore(saved, Time(seconds(50))), 3u);
  EXPECT_EQ(next.next_deadline(), Time(seconds(130)));
}

TEST(CarryOver, RulesOfOneNameCountOn) {
  Bench old(settings_of({game()}));
  old.establish(from("198.51.100.1:5000"));
  Rule renamed = game();
  renamed.name = "another";
  Bench next(settings_of({renamed, game()}));
  next.forwarder().take_over(old.forwarder(), at(seconds(0)));
  EXPECT_EQ(next.stats(0).packets_in, 0u);
  EXPECT_EQ(next.stats(1).packets_in, 2u);
  EXPECT_EQ(next.stats(1).flows_opened, 1u);
  EXPECT_EQ(next.stats(0).flows + next.stats(1).flows, 1u);
  next.send(from("198.51.100.1:5000", "203.0.113.1", 1), "x");
  EXPECT_EQ(next.stats(1).packets_in, 3u);
}

}  // namespace
}  // namespace adit::forward
