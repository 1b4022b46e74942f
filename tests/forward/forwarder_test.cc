#include "forward/forwarder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/forward/bench.h"

namespace adit::forward {
namespace {

TEST(Forwarder, SendsAClientsPayloadToTheServiceFromOurAddressAndASnatPort) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  ASSERT_EQ(bench.send(from("198.51.100.7:5000"), "hello"), Drop::kNone);
  const UdpView view = udp_view(bench.inner().bytes()).value();
  EXPECT_EQ(view.destination, endpoint("10.1.2.2:34197"));
  EXPECT_EQ(view.source.ip, ip("10.1.2.5"));
  EXPECT_GE(view.source.port, 16384);
  EXPECT_LE(view.source.port, 32767);
  EXPECT_EQ(text_of(view.payload()), "hello");
  EXPECT_TRUE(view.checksum_fits());
}

TEST(Forwarder, BringsTheAnswerToTheClientFromTheAddressItUsed) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  const PublicSide client = from("198.51.100.7:5000", "203.0.113.77");
  const Endpoint ours = bench.open(client);
  ASSERT_EQ(bench.answer(endpoint("10.1.2.2:34197"), ours, "welcome"), Release::kToPublic);
  EXPECT_EQ(text_of(bench.inner()), "welcome");
  EXPECT_EQ(bench.to(), client);
}

TEST(Forwarder, OnlyTheServicesVersionDecidesOurAddress) {
  for (const auto* client : {"198.51.100.7:5000", "[2001:db8::7]:5000"}) {
    Bench to_v4(settings_of({rule_to("10.1.2.2:34197")}));
    EXPECT_EQ(to_v4.open(from(client)).ip, ip("10.1.2.5"));
    Bench to_v6(settings_of({rule_to("[fd00:1:2::2]:34197")}));
    const Endpoint ours = to_v6.open(from(client));
    EXPECT_EQ(ours.ip, ip("fd00:1:2::5"));
    ASSERT_EQ(to_v6.answer(endpoint("[fd00:1:2::2]:34197"), ours, "six"), Release::kToPublic);
    EXPECT_EQ(to_v6.to().client, endpoint(client));
    EXPECT_EQ(text_of(to_v6.inner()), "six");
  }
}

TEST(Forwarder, WithoutAnAddressOfTheServicesVersionNothingIsForwarded) {
  Settings settings = settings_of({rule_to("10.1.2.2:34197"), rule_to("[fd00:1:2::2]:34197")});
  settings.our_v6.reset();
  Bench bench(std::move(settings));
  EXPECT_EQ(bench.send(from("[2001:db8::7]:5000", "203.0.113.1", 0), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(from("[2001:db8::7]:5000", "203.0.113.1", 1), "x"), Drop::kNoAddress);
  EXPECT_EQ(bench.stats(1).drops[Drop::kNoAddress], 1u);
  EXPECT_EQ(bench.stats(1).flows, 0u);
}

TEST(Forwarder, EachOfSixteenClientsGetsItsOwnAnswers) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  std::vector<PublicSide> clients;
  std::vector<Endpoint> ours;
  for (int i = 0; i < 16; ++i) {
    const std::string address =
        i % 2 == 0 ? "198.51.100." + std::to_string(i / 4) : "[2001:db8::" + std::to_string(i / 4) + "]";
    clients.push_back(from(address + ":" + std::to_string(5000 + i % 4)));
    ours.push_back(bench.open(clients.back()));
  }
  EXPECT_EQ(std::set(ours.begin(), ours.end()).size(), 16u);
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 16; i-- > 0;) {
      EXPECT_EQ(bench.open(clients[i]), ours[i]);
      const std::string payload = "for " + std::to_string(i);
      ASSERT_EQ(bench.answer(endpoint("10.1.2.2:34197"), ours[i], payload), Release::kToPublic);
      EXPECT_EQ(bench.to(), clients[i]);
      EXPECT_EQ(text_of(bench.inner()), payload);
    }
  }
  EXPECT_EQ(bench.stats().flows, 16u);
  EXPECT_EQ(bench.stats().flows_opened, 16u);
}

TEST(Forwarder, OneClientThroughTwoOfOurAddressesOrListenersIsSeveralFlows) {
  Rule rule = rule_to("10.1.2.2:34197");
  rule.listeners.push_back(rule.listeners.front());
  Bench bench(settings_of({rule}));
  const std::vector<PublicSide> sides = {from("198.51.100.7:5000", "203.0.113.1"),
                                         from("198.51.100.7:5000", "203.0.113.2"),
                                         from("198.51.100.7:5000", "203.0.113.1", 1)};
  std::vector<Endpoint> ours;
  for (const PublicSide& side : sides) ours.push_back(bench.open(side));
  EXPECT_EQ(bench.stats().flows, 3u);
  for (size_t i = 0; i < sides.size(); ++i) {
    ASSERT_EQ(bench.answer(endpoint("10.1.2.2:34197"), ours[i], ""), Release::kToPublic);
    EXPECT_EQ(bench.to(), sides[i]);
  }
}

TEST(Forwarder, ListenersCountThroughTheRules) {
  Rule first = rule_to("10.1.2.2:1000");
  first.listeners.push_back(first.listeners.front());
  Bench bench(settings_of({first, rule_to("10.1.2.2:2000")}));
  const auto service_of = [&](ListenerId listener) {
    EXPECT_EQ(bench.send(from("198.51.100.7:5000", "203.0.113.1", listener), ""), Drop::kNone);
    return udp_view(bench.inner().bytes()).value().destination.port;
  };
  EXPECT_EQ(service_of(0), 1000);
  EXPECT_EQ(service_of(1), 1000);
  EXPECT_EQ(service_of(2), 2000);
  EXPECT_EQ(bench.forwarder().rule_count(), 2u);
  EXPECT_EQ(bench.stats(0).packets_in, 2u);
  EXPECT_EQ(bench.stats(1).packets_in, 1u);
}

TEST(Forwarder, AnEmptyPayloadIsForwardedBothWays) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  ASSERT_EQ(bench.send(from("198.51.100.7:5000"), ""), Drop::kNone);
  EXPECT_EQ(bench.inner().size(), udp_overhead(true));
  const Endpoint ours = udp_view(bench.inner().bytes()).value().source;
  ASSERT_EQ(bench.answer(endpoint("10.1.2.2:34197"), ours, ""), Release::kToPublic);
  EXPECT_EQ(bench.inner().size(), 0u);
}

TEST(Forwarder, AProgramOnThisHostKeepsItsOwnTunnelTraffic) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  const Endpoint ours = bench.open(from("198.51.100.7:5000"));
  const auto stays = [&](const Endpoint& source, const Endpoint& destination) {
    const std::string before = text_of(udp_packet(bench.pool(), source, destination, "dns"));
    return bench.answer(source, destination, "dns") == Release::kNotOurs && text_of(bench.inner()) == before;
  };
  const Endpoint other_port{ours.ip, static_cast<uint16_t>(ours.port == 16384 ? 16385 : ours.port - 1)};
  EXPECT_TRUE(stays(endpoint("10.1.2.2:34197"), other_port));
  EXPECT_TRUE(stays(endpoint("10.1.2.2:34198"), ours));
  EXPECT_TRUE(stays(endpoint("10.1.2.3:34197"), ours));
  EXPECT_TRUE(stays(endpoint("10.1.2.2:34197"), {ip("10.1.2.6"), ours.port}));
  EXPECT_EQ(bench.stats().packets_out, 0u);
  EXPECT_EQ(bench.stats().drops.total(), 0u);
}

TEST(Forwarder, WhatIsNotAWholeUdpDatagramIsNotOurs) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  const Endpoint ours = bench.open(from("198.51.100.7:5000"));
  const auto release_with = [&](size_t offset, uint8_t value) {
    Packet packet = udp_packet(bench.pool(), endpoint("10.1.2.2:34197"), ours, "answer");
    packet.bytes()[offset] = value;
    return bench.deliver(std::move(packet));
  };
  EXPECT_EQ(release_with(9, 6), Release::kNotOurs);     // TCP
  EXPECT_EQ(release_with(0, 0x55), Release::kNotOurs);  // version 5
  EXPECT_EQ(release_with(3, 255), Release::kNotOurs);   // longer than the packet
  EXPECT_EQ(bench.deliver(packet_of(bench.pool(), "")), Release::kNotOurs);
  EXPECT_EQ(bench.deliver(packet_of(bench.pool(), "E")), Release::kNotOurs);
}

TEST(Forwarder, Ipv4AddressesInsideIpv6AreNotIpv4) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  const Endpoint ours = bench.open(from("198.51.100.7:5000"));
  Packet packet = udp_packet(bench.pool(), endpoint("[fd00::2]:34197"), {ip("fd00::5"), ours.port}, "trick");
  std::ranges::copy(ip("10.1.2.2").raw(), &packet.bytes()[8]);
  std::ranges::copy(ours.ip.raw(), &packet.bytes()[24]);
  EXPECT_EQ(bench.deliver(std::move(packet)), Release::kNotOurs);
}

TEST(Forwarder, DropsAndCountsWrongAnswers) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  const Endpoint ours = bench.open(from("198.51.100.7:5000"));
  const auto release_with = [&](size_t offset, uint8_t value) {
    Packet packet = udp_packet(bench.pool(), endpoint("10.1.2.2:34197"), ours, "answer");
    packet.bytes()[offset] ^= value;
    return bench.deliver(std::move(packet), at(seconds(100)));
  };
  EXPECT_EQ(release_with(8, 1), Release::kDropped);   // hop limit: only the header checksum covers it
  EXPECT_EQ(release_with(30, 1), Release::kDropped);  // payload
  EXPECT_EQ(release_with(24, 1), Release::kDropped);  // UDP length
  EXPECT_EQ(bench.stats().drops[Drop::kBadChecksum], 2u);
  EXPECT_EQ(bench.stats().drops[Drop::kBadUdpLength], 1u);
  EXPECT_EQ(bench.stats().packets_out, 0u);
  EXPECT_EQ(bench.stats().flows_unanswered, 1u) << "a wrong answer is none";
  EXPECT_EQ(bench.flows_at(at(seconds(180))), 0u) << "and keeps no flow alive";
}

TEST(Forwarder, APayloadMayBeTheLargestOfUdpAndNoMore) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197"), rule_to("[fd00:1:2::2]:34197")}));
  for (const ListenerId listener : {0u, 1u}) {
    const size_t largest = listener == 0 ? 65507 : 65527;
    const PublicSide side = from("198.51.100.7:5000", "203.0.113.1", listener);
    EXPECT_EQ(bench.send(side, std::string(largest + 1, 'x')), Drop::kTooBig);
    EXPECT_EQ(bench.stats(listener).flows, 0u) << "a datagram that goes nowhere opens no flow";
    EXPECT_EQ(bench.send(side, std::string(largest, 'x')), Drop::kNone);
    EXPECT_GT(bench.pieces().size(), 40u);
    EXPECT_EQ(bench.send(side, std::string(largest + 1, 'x'), at(seconds(1))), Drop::kTooBig);
    EXPECT_EQ(bench.stats(listener).drops[Drop::kTooBig], 2u);
  }
  EXPECT_EQ(bench.flows_at(at(seconds(180))), 0u) << "... and keeps none alive";
}

TEST(Forwarder, TheLongestPrefixOfTheTableDecidesWhoMayOpenAFlow) {
  Rule rule = rule_to("10.1.2.2:34197");
  rule.from.emplace();
  rule.from->set(Prefix::parse("0.0.0.0/0").value(), true);
  rule.from->set(Prefix::parse("192.168.0.0/16").value(), false);
  rule.from->set(Prefix::parse("192.168.7.0/24").value(), true);
  Bench bench(settings_of({rule}));
  EXPECT_EQ(bench.send(from("198.51.100.7:5000"), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(from("192.168.1.1:5000"), "x"), Drop::kNotAllowed);
  EXPECT_EQ(bench.send(from("192.168.7.1:5000"), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(from("[2001:db8::7]:5000"), "x"), Drop::kNotAllowed) << "no prefix holds it";
  EXPECT_EQ(bench.stats().drops[Drop::kNotAllowed], 2u);
  EXPECT_EQ(bench.stats().flows, 2u);
}

TEST(Forwarder, AnEmptyTableLetsNobodyIn) {
  Rule rule = rule_to("10.1.2.2:34197");
  rule.from.emplace();
  Bench bench(settings_of({rule}));
  EXPECT_EQ(bench.send(from("198.51.100.7:5000"), "x"), Drop::kNotAllowed);
}

TEST(Forwarder, AFullTableRefusesNewFlowsAndKeepsTheOthers) {
  Rule rule = rule_to("10.1.2.2:34197");
  rule.max_flows = 2;
  Bench bench(settings_of({rule, rule_to("10.1.2.2:34197")}));
  const Endpoint first = bench.establish(from("198.51.100.1:5000"));
  bench.establish(from("198.51.100.2:5000"));
  EXPECT_EQ(bench.send(from("198.51.100.3:5000"), "x"), Drop::kFlowTableFull);
  EXPECT_EQ(bench.send(from("198.51.100.3:5000", "203.0.113.1", 1), "x"), Drop::kNone) << "the limit is the rule's";
  EXPECT_EQ(bench.open(from("198.51.100.1:5000"), at(seconds(20))), first);
  EXPECT_EQ(bench.stats().drops[Drop::kFlowTableFull], 1u);

  bench.forwarder().expire(at(seconds(180)));  // the second flow's time
  EXPECT_EQ(bench.send(from("198.51.100.3:5000"), "x", at(seconds(180))), Drop::kNone);
  EXPECT_EQ(bench.stats().flows, 2u);
  EXPECT_EQ(bench.stats().flows_opened, 3u);
}

TEST(Forwarder, AFlowMayStayASixteenthLongerBehindOneThatWasUsedMeanwhile) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  bench.establish(from("198.51.100.1:5000"));
  bench.establish(from("198.51.100.2:5000"));
  bench.open(from("198.51.100.1:5000"), at(seconds(10)));  // too soon to be moved behind the other
  EXPECT_EQ(bench.flows_at(at(seconds(180))), 2u);
  EXPECT_EQ(bench.forwarder().next_deadline(), at(seconds(190)));
  EXPECT_EQ(bench.flows_at(at(seconds(190))), 0u);
}

TEST(Forwarder, LimitsTheFlowsOfAnIpv4AddressAndOfAnIpv6Subnet) {
  Rule rule = rule_to("10.1.2.2:34197");
  rule.max_flows_per_source = 2;
  Bench bench(settings_of({rule}));
  EXPECT_EQ(bench.send(from("198.51.100.1:1"), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(from("198.51.100.1:2"), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(from("198.51.100.1:3"), "x"), Drop::kSourceFlowsFull);
  EXPECT_EQ(bench.send(from("198.51.100.2:3"), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(from("[2001:db8:0:1::1]:1"), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(from("[2001:db8:0:1:ffff::2]:1"), "x"), Drop::kNone);
  EXPECT_EQ(bench.send(from("[2001:db8:0:1::3]:1"), "x"), Drop::kSourceFlowsFull);
  EXPECT_EQ(bench.send(from("[2001:db8:0:2::3]:1"), "x"), Drop::kNone);
  EXPECT_EQ(bench.stats().drops[Drop::kSourceFlowsFull], 2u);
  EXPECT_EQ(bench.send(from("198.51.100.1:2"), "x", at(seconds(1))), Drop::kNone) << "what is open stays open";

  bench.forwarder().expire(at(seconds(180)));  // all but the last one
  EXPECT_EQ(bench.send(from("198.51.100.1:3"), "x", at(seconds(180))), Drop::kNone);
  EXPECT_EQ(bench.send(from("198.51.100.1:4"), "x", at(seconds(180))), Drop::kSourceFlowsFull);
}

TEST(Forwarder, AFlowEndsExactlyWhenItsIdleTimeIsOver) {
  Rule rule = rule_to("10.1.2.2:34197");
  rule.idle_timeout = seconds(30);
  Bench bench(settings_of({rule}));
  EXPECT_EQ(bench.forwarder().next_deadline(), kNever);
  const Endpoint ours = bench.establish(from("198.51.100.1:5000"), at(nanoseconds(1)));
  EXPECT_EQ(bench.forwarder().next_deadline(), at(seconds(30) + nanoseconds(1)));
  bench.forwarder().expire(at(seconds(30)));
  EXPECT_EQ(bench.stats().flows, 1u);
  bench.forwarder().expire(at(seconds(30) + nanoseconds(1)));
  EXPECT_EQ(bench.stats().flows, 0u);
  EXPECT_EQ(bench.forwarder().next_deadline(), kNever);
  EXPECT_EQ(bench.answer(endpoint("10.1.2.2:34197"), ours, "late", at(seconds(31))), Release::kNotOurs);
}

TEST(Forwarder, TrafficInEitherDirectionKeepsAFlow) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  const PublicSide client = from("198.51.100.1:5000");
  const Endpoint ours = bench.open(client, at(seconds(0)));
  EXPECT_EQ(bench.open(client, at(seconds(100))), ours);
  EXPECT_EQ(bench.flows_at(at(seconds(280) - nanoseconds(1))), 1u);
  EXPECT_EQ(bench.forwarder().next_deadline(), at(seconds(280)));
  EXPECT_EQ(bench.answer(endpoint("10.1.2.2:34197"), ours, "x", at(seconds(280))), Release::kToPublic);
  EXPECT_EQ(bench.flows_at(at(seconds(460) - nanoseconds(1))), 1u);
  EXPECT_EQ(bench.forwarder().next_deadline(), at(seconds(460)));
  EXPECT_EQ(bench.flows_at(at(seconds(460))), 0u);
}

TEST(Forwarder, AFlowWhoseTimeIsUpWorksUntilExpireEndsIt) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  const PublicSide client = from("198.51.100.1:5000");
  const Endpoint ours = bench.open(client, at(seconds(0)));
  EXPECT_EQ(bench.answer(endpoint("10.1.2.2:34197"), ours, "late", at(seconds(181))), Release::kToPublic);
  bench.forwarder().expire(at(seconds(182)));
  EXPECT_EQ(bench.open(client, at(seconds(183))), ours) << "the answer gave it new life";
  EXPECT_EQ(bench.stats().flows_opened, 1u);
}

TEST(Forwarder, EachRuleHasItsOwnIdleTimeout) {
  std::vector<Rule> rules = {rule_to("10.1.2.2:1000"), rule_to("10.1.2.2:2000")};
  rules[0].idle_timeout = seconds(60);
  rules[1].idle_timeout = seconds(10);
  Bench bench(settings_of(rules));
  bench.establish(from("198.51.100.1:5000", "203.0.113.1", 0), at(seconds(0)));
  bench.establish(from("198.51.100.1:5000", "203.0.113.1", 1), at(seconds(20)));
  EXPECT_EQ(bench.forwarder().next_deadline(), at(seconds(30)));
  bench.forwarder().expire(at(seconds(30)));
  EXPECT_EQ(bench.stats(0).flows, 1u);
  EXPECT_EQ(bench.stats(1).flows, 0u);
  EXPECT_EQ(bench.forwarder().next_deadline(), at(seconds(60)));
}

TEST(Forwarder, AnEndlessIdleTimeoutNeverEnds) {
  Rule rule = rule_to("10.1.2.2:34197");
  rule.idle_timeout = rule.unanswered_timeout = Duration::max();
  Bench bench(settings_of({rule}));
  bench.establish(from("198.51.100.1:5000"));
  EXPECT_EQ(bench.forwarder().next_deadline(), kNever);
}

TEST(Forwarder, ExpireFreesABoundedNumberAndAsksToBeCalledAgain) {
  Rule rule = rule_to("10.1.2.2:34197");
  rule.max_flows_per_source = 4096;
  Bench bench(settings_of({rule}));
  for (int i = 0; i < 4096; ++i) bench.open(from("198.51.100.1:" + std::to_string(1 + i)));
  bench.forwarder().expire(at(seconds(180)));
  EXPECT_GT(bench.stats().flows, 0u);
  EXPECT_LT(bench.stats().flows, 4096u);
  int calls = 1;
  for (; bench.forwarder().next_deadline() <= at(seconds(180)); ++calls) bench.forwarder().expire(at(seconds(180)));
  EXPECT_EQ(bench.stats().flows, 0u);
  EXPECT_LE(calls, 4096);
}

TEST(Forwarder, PortsTowardsAServiceRunOutAndComeBack) {
  Settings settings = settings_of({rule_to("10.1.2.2:1000"), rule_to("10.1.2.2:1000"), rule_to("10.1.2.2:2000")});
  settings.first_snat_port = 20000;
  settings.last_snat_port = 20002;
  Bench bench(std::move(settings));
  std::set<uint16_t> ports;
  ports.insert(bench.establish(from("198.51.100.1:1", "203.0.113.1", 0), at(seconds(0))).port);
  ports.insert(bench.establish(from("198.51.100.1:2", "203.0.113.1", 0), at(seconds(1))).port);
  ports.insert(bench.establish(from("198.51.100.1:1", "203.0.113.1", 1), at(seconds(2))).port);
  EXPECT_EQ(ports, (std::set<uint16_t>{20000, 20001, 20002}));
  EXPECT_EQ(bench.send(from("198.51.100.1:3", "203.0.113.1", 0), "x"), Drop::kNoPort);
  EXPECT_EQ(bench.send(from("198.51.100.1:2", "203.0.113.1", 1), "x"), Drop::kNoPort) << "rules share the service";
  EXPECT_EQ(bench.send(from("198.51.100.1:3", "203.0.113.1", 2), "x"), Drop::kNone) << "another service";
  EXPECT_EQ(bench.stats(0).drops[Drop::kNoPort], 1u);
  EXPECT_EQ(bench.stats(0).flows, 2u);

  bench.forwarder().expire(at(seconds(180)));
  bench.establish(from("198.51.100.1:2", "203.0.113.1", 1), at(seconds(180)));
  EXPECT_EQ(bench.send(from("198.51.100.1:3", "203.0.113.1", 1), "x", at(seconds(180))), Drop::kNoPort);
}

TEST(Forwarder, APortIsNotReusedAtOnce) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  const Endpoint ours = bench.open(from("198.51.100.1:5000"), at(seconds(0)));
  bench.forwarder().expire(at(seconds(180)));
  EXPECT_NE(bench.open(from("198.51.100.2:5000"), at(seconds(180))), ours);
  EXPECT_EQ(bench.answer(endpoint("10.1.2.2:34197"), ours, "late", at(seconds(180))), Release::kNotOurs);
}

TEST(Forwarder, CountsPacketsAndPayloadBytesOfEachRule) {
  Bench bench(settings_of({rule_to("10.1.2.2:1000"), rule_to("10.1.2.2:2000")}));
  const Endpoint ours = bench.open(from("198.51.100.1:5000"));  // "open": 4 bytes
  bench.send(from("198.51.100.1:5000"), "123456");
  bench.answer(endpoint("10.1.2.2:1000"), ours, "123");
  EXPECT_EQ(bench.stats(0).packets_in, 2u);
  EXPECT_EQ(bench.stats(0).bytes_in, 10u);
  EXPECT_EQ(bench.stats(0).packets_out, 1u);
  EXPECT_EQ(bench.stats(0).bytes_out, 3u);
  EXPECT_EQ(bench.stats(0).drops.total(), 0u);
  EXPECT_EQ(bench.stats(1).packets_in + bench.stats(1).packets_out, 0u);
}

TEST(Forwarder, KeepsItsFlowsWhenItIsMoved) {
  Bench bench(settings_of({rule_to("10.1.2.2:34197")}));
  const Endpoint ours = bench.open(from("198.51.100.1:5000"));
  Forwarder moved = std::move(bench.forwarder());
  Packet packet = udp_packet(bench.pool(), endpoint("10.1.2.2:34197"), ours, "still here");
  PublicSide to;
  EXPECT_EQ(moved.from_tunnel(packet, at(seconds(1)), to), Release::kToPublic);
  EXPECT_EQ(to, from("198.51.100.1:5000"));
}

TEST(Forwarder, WithoutRulesNothingIsOurs) {
  Bench bench(settings_of({}));
  EXPECT_EQ(bench.answer(endpoint("10.1.2.2:34197"), endpoint("10.1.2.5:20000"), "x"), Release::kNotOurs);
  bench.forwarder().expire(at(seconds(1)));
  EXPECT_EQ(bench.forwarder().next_deadline(), kNever);
}

}  // namespace
}  // namespace adit::forward
