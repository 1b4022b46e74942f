// What becomes of flows: the stories of clients and services, of floods, and of gateways that are replaced.
#include <gtest/gtest.h>

#include <string>

#include "forward/forwarder.h"
#include "tests/forward/bench.h"

namespace adit::forward {
namespace {

const Endpoint kService = endpoint("10.1.2.2:34197");

/// Half a minute for a flow that the service has not answered, three for others.
Rule usual_rule() {
  Rule rule = rule_to("10.1.2.2:34197");
  rule.unanswered_timeout = seconds(30);
  return rule;
}

PublicSide player(int number, ListenerId listener = 0) {
  return from("198.51.100." + std::to_string(number % 250) + ":" + std::to_string(5000 + number / 250), "203.0.113.1",
              listener);
}

TEST(FlowLife, AnAnswerAndWhatTheClientSaysToItProveAFlow) {
  Bench bench(settings_of({usual_rule()}));
  const Endpoint ours = bench.open(player(1));
  bench.open(player(1));
  EXPECT_EQ(bench.stats().flows_unanswered, 1u) << "a client proves nothing by sending more";
  EXPECT_EQ(bench.answer(kService, ours, "1"), Release::kToPublic);
  EXPECT_EQ(bench.answer(kService, ours, "2"), Release::kToPublic);
  EXPECT_EQ(bench.stats().flows_unanswered + bench.stats().flows_established, 0u);
  bench.open(player(1));
  EXPECT_EQ(bench.stats().flows_established, 1u);
  EXPECT_EQ(bench.stats().flows, 1u);
}

TEST(FlowLife, AServiceThatNeverAnswersIsForgottenSoonAfterTheClientStopped) {
  Bench bench(settings_of({usual_rule()}));
  const Endpoint ours = bench.open(player(1), at(seconds(0)));
  EXPECT_EQ(bench.open(player(1), at(seconds(29))), ours);
  EXPECT_EQ(bench.flows_at(at(seconds(58))), 1u);
  EXPECT_EQ(bench.flows_at(at(seconds(59))), 0u);
}

TEST(FlowLife, OneAnswerGivesAFlowTheWholeIdleTime) {
  Bench bench(settings_of({usual_rule()}));
  const Endpoint ours = bench.open(player(1), at(seconds(0)));
  bench.answer(kService, ours, "x", at(seconds(10)));
  EXPECT_EQ(bench.flows_at(at(seconds(189))), 1u);
  EXPECT_EQ(bench.flows_at(at(seconds(190))), 0u);
}

TEST(FlowLife, AnIdleTimeBelowTheUnansweredIsKeptToo) {
  Rule rule = usual_rule();
  rule.idle_timeout = seconds(5);
  Bench bench(settings_of({rule}));
  const Endpoint ours = bench.open(player(1), at(seconds(0)));
  bench.answer(kService, ours, "x", at(seconds(1)));
  EXPECT_EQ(bench.forwarder().next_deadline(), at(seconds(6)));
  EXPECT_EQ(bench.flows_at(at(seconds(6))), 0u);
}

TEST(FlowLife, AnAnswerFromAnotherPortOrAddressIsNotTheServices) {
  Bench bench(settings_of({usual_rule()}));
  const Endpoint ours = bench.open(player(1));
  EXPECT_EQ(bench.answer(endpoint("10.1.2.2:34198"), ours, "x"), Release::kNotOurs);
  EXPECT_EQ(bench.answer(endpoint("10.1.2.3:34197"), ours, "x"), Release::kNotOurs);
  EXPECT_EQ(bench.stats().flows_unanswered, 1u) << "nor does it prove anything";
}

TEST(FlowLife, AnAnswerAfterTheIdleTimeReachesNobodyNotEvenTheNextClient) {
  Bench bench(settings_of({usual_rule()}));
  const Endpoint ours = bench.open(player(1), at(seconds(0)));
  EXPECT_EQ(bench.flows_at(at(seconds(30))), 0u);
  bench.open(player(2), at(seconds(30)));
  EXPECT_EQ(bench.answer(kService, ours, "late", at(seconds(31))), Release::kNotOurs);
}

TEST(FlowLife, AServiceThatAnswersTwiceIsHeardTwice) {
  Bench bench(settings_of({usual_rule()}));
  const Endpoint ours = bench.open(player(1));
  for (const char* answer : {"once", "once"}) {
    EXPECT_EQ(bench.answer(kService, ours, answer), Release::kToPublic);
    EXPECT_EQ(text_of(bench.inner()), answer);
    EXPECT_EQ(bench.to(), player(1));
  }
}

TEST(FlowLife, AClientThatChangesItsPortIsANewClientAndTheOldFlowDies) {
  Bench bench(settings_of({usual_rule()}));
  const Endpoint before = bench.establish(from("198.51.100.1:5000"), at(seconds(0)));
  const Endpoint after = bench.establish(from("198.51.100.1:5001"), at(seconds(10)));
  EXPECT_NE(before, after);
  EXPECT_EQ(bench.answer(kService, before, "to the old port", at(seconds(11))), Release::kToPublic);
  EXPECT_EQ(bench.to().client.port, 5000);
  bench.open(from("198.51.100.1:5001"), at(seconds(100)));
  EXPECT_EQ(bench.flows_at(at(seconds(191))), 1u);
  EXPECT_EQ(bench.answer(kService, after, "x", at(seconds(191))), Release::kToPublic);
}

TEST(FlowLife, AServiceThatDiesAndReturnsFindsTheClientThatKeptSending) {
  Bench bench(settings_of({usual_rule()}));
  const Endpoint ours = bench.establish(player(1), at(seconds(0)));
  for (int second = 100; second <= 1000; second += 100) {
    EXPECT_EQ(bench.open(player(1), at(seconds(second))), ours) << "the service sees no new client";
    EXPECT_EQ(bench.flows_at(at(seconds(second))), 1u);
  }
  EXPECT_EQ(bench.answer(kService, ours, "back", at(seconds(1001))), Release::kToPublic);
  EXPECT_EQ(bench.stats().flows_established, 1u);
}

TEST(Eviction, AMillionSpoofedSourcesPushOutNobodyWhoIsEstablished) {
  Rule rule = usual_rule();
  rule.max_flows = 1000;
  Bench bench(settings_of({rule}));
  std::vector<Endpoint> ours;
  for (int i = 0; i < 100; ++i) ours.push_back(bench.establish(player(i)));
  const Endpoint waiting = bench.open(player(100));
  for (uint32_t i = 0; i < 1'000'000; ++i) {
    Packet packet = packet_of(bench.pool(), "spoofed");
    const PublicSide spoofed{0, {Ip::v4(0x01000000 + i * 7919), 1}, ip("203.0.113.1")};
    bench.pieces().clear();
    ASSERT_EQ(
        bench.forwarder().from_public(spoofed, std::move(packet), at(nanoseconds(i)), bench.pool(), bench.pieces()),
        Drop::kNone);
  }
  EXPECT_EQ(bench.stats().flows, 1000u);
  EXPECT_EQ(bench.stats().flows_established, 100u);
  EXPECT_EQ(bench.stats().flows_evicted, 1'000'000u - 899u);
  const Time now = at(seconds(1));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(bench.open(player(i), now), ours[static_cast<size_t>(i)]);
  EXPECT_EQ(bench.answer(kService, waiting, "slow", now), Release::kToPublic) << "who came before the flood stays too";
  bench.establish(player(101), now);
  EXPECT_EQ(bench.stats().flows_established, 101u) << "and who is answered at once gets in";
}

TEST(Eviction, TakesTheNewestUnansweredThenTheNewestAnswered) {
  Rule rule = usual_rule();
  rule.max_flows = 4;
  Bench bench(settings_of({rule}));
  std::vector<Endpoint> ours;
  for (int i = 0; i < 4; ++i) ours.push_back(bench.open(player(i), at(seconds(i))));
  bench.answer(kService, ours[3], "x", at(seconds(4)));
  bench.answer(kService, ours[0], "x", at(seconds(5)));
  const auto is_there = [&](int i) {
    return bench.answer(kService, ours[static_cast<size_t>(i)], "?", at(seconds(9)));
  };
  ours.push_back(bench.open(player(4), at(seconds(6))));
  EXPECT_EQ(is_there(2), Release::kNotOurs) << "the newer of two unanswered";
  bench.answer(kService, ours[1], "x", at(seconds(7)));
  bench.answer(kService, ours[4], "x", at(seconds(8)));  // all four are answered now
  ours.push_back(bench.open(player(5), at(seconds(8))));
  EXPECT_EQ(is_there(4), Release::kNotOurs) << "the newest answered";
  for (const int i : {0, 1, 3, 5}) EXPECT_EQ(is_there(i), Release::kToPublic) << i;
  EXPECT_EQ(bench.stats().flows_evicted, 2u);
  EXPECT_EQ(bench.stats().drops.total(), 0u);
}

TEST(Eviction, ARefusedClientPushesNobodyOut) {
  Rule rule = usual_rule();
  rule.max_flows = 2;
  rule.max_new_flows_per_source = 1;
  Bench bench(settings_of({rule}));
  bench.open(from("198.51.100.1:1"));
  bench.open(from("198.51.100.2:1"));
  EXPECT_EQ(bench.send(from("198.51.100.1:2"), "x"), Drop::kSourceRate);
  EXPECT_EQ(bench.send(from("198.51.100.3:2"), std::string(65508, 'x')), Drop::kTooBig);
  EXPECT_EQ(bench.stats().flows_evicted, 0u);
}

TEST(Eviction, WithoutSnatPortsTheNewestOfTheSameServiceGivesWay) {
  Rule rule = usual_rule();
  rule.listeners.push_back({.listen = {}, .to = endpoint("10.1.2.2:2000")});
  Settings settings = settings_of({rule});
  settings.first_snat_port = settings.last_snat_port = 20000;
  Bench bench(std::move(settings));
  bench.open(player(1), at(seconds(0)));
  bench.open(player(2, 1), at(seconds(1)));
  bench.open(player(3), at(seconds(2)));
  EXPECT_EQ(bench.stats().flows_evicted, 1u);
  EXPECT_EQ(bench.answer(endpoint("10.1.2.2:2000"), endpoint("10.1.2.5:20000"), "x"), Release::kToPublic);
  EXPECT_EQ(bench.to(), player(2, 1)) << "the other service's port was no use";
}

TEST(Eviction, FullnessIsToldOnceAndAgainWhenThereIsRoom) {
  Rule rule = usual_rule();
  rule.max_flows = 4;
  Bench bench(settings_of({usual_rule(), rule}));
  for (int i = 0; i < 4; ++i) bench.open(player(i, 1), at(seconds(i)));
  EXPECT_FALSE(bench.forwarder().has_fullness()) << "nobody has been refused for it";
  for (int i = 4; i < 9; ++i) bench.open(player(i, 1), at(seconds(4)));
  ASSERT_TRUE(bench.forwarder().has_fullness());
  const std::vector<Fullness> full = bench.forwarder().take_fullness();
  ASSERT_EQ(full.size(), 1u);
  EXPECT_EQ(full[0].rule, 1u);
  EXPECT_TRUE(full[0].is_full);
  bench.open(player(9, 1), at(seconds(4)));
  EXPECT_FALSE(bench.forwarder().has_fullness());
  bench.flows_at(at(seconds(30)));
  EXPECT_FALSE(bench.forwarder().has_fullness()) << "one place in four is no room yet";
  bench.flows_at(at(seconds(31)));
  ASSERT_TRUE(bench.forwarder().has_fullness());
  EXPECT_FALSE(bench.forwarder().take_fullness().at(0).is_full);
}

TEST(SourceRate, HoldsForASourceAllOfWhoseFlowsAreGone) {
  Rule rule = usual_rule();
  rule.max_flows = 1;
  rule.max_new_flows_per_source = 2;
  Bench bench(settings_of({rule}));
  EXPECT_EQ(bench.send(from("198.51.100.1:1"), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(from("198.51.100.1:2"), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(from("198.51.100.9:1"), "x"), Drop::kNone);  // evicts the last of them
  EXPECT_EQ(bench.send(from("198.51.100.1:3"), "x"), Drop::kSourceRate);
  EXPECT_EQ(bench.send(from("198.51.100.1:3"), "x", at(milliseconds(500))), Drop::kNone);
  EXPECT_EQ(bench.stats().drops[Drop::kSourceRate], 1u);
}

TEST(KeptSource, TheServiceSeesTheClientItself) {
  Rule rule = usual_rule();
  rule.source = Source::kKeep;
  Settings settings = settings_of({rule});
  settings.our_v4.reset();
  settings.our_v6.reset();
  Bench bench(std::move(settings));
  EXPECT_EQ(bench.establish(from("198.51.100.7:5000")), endpoint("198.51.100.7:5000"));
  ASSERT_EQ(bench.answer(kService, endpoint("198.51.100.7:5000"), "welcome"), Release::kToPublic);
  EXPECT_EQ(bench.to(), from("198.51.100.7:5000"));
  EXPECT_EQ(text_of(bench.inner()), "welcome");
  EXPECT_EQ(bench.answer(kService, endpoint("198.51.100.7:5001"), "x"), Release::kNotOurs);
  EXPECT_EQ(bench.send(from("[2001:db8::7]:5000"), "x"), Drop::kNoAddress) << "IPv4 has no place for it";
}

TEST(KeptSource, OneClientHasOneFlowToAService) {
  Rule rule = usual_rule();
  rule.source = Source::kKeep;
  rule.listeners = {
      {.listen = {}, .to = kService}, {.listen = {}, .to = kService}, {.listen = {}, .to = endpoint("10.1.2.2:1")}};
  Bench bench(settings_of({rule}));
  EXPECT_EQ(bench.send(player(1, 0), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(player(1, 1), "x"), Drop::kNoPort) << "answers could be for either";
  EXPECT_EQ(bench.send(player(1, 2), "x"), Drop::kNone) << "another service";
  EXPECT_EQ(bench.send(from("10.1.2.5:20000"), "x"), Drop::kNoPort) << "that address is the gateway's";
  EXPECT_FALSE(bench.forwarder().has_fullness());
  bench.flows_at(at(seconds(30)));
  EXPECT_EQ(bench.send(player(1, 1), "x", at(seconds(30))), Drop::kNone);
}

TEST(KeptSource, NeedsNoSnatPorts) {
  Rule rule = usual_rule();
  rule.source = Source::kKeep;
  Settings settings = settings_of({rule});
  settings.first_snat_port = settings.last_snat_port = 20000;
  Bench bench(std::move(settings));
  for (int i = 0; i < 100; ++i) bench.establish(player(i));
  EXPECT_EQ(bench.stats().flows_established, 100u);
}

}  // namespace
}  // namespace adit::forward
