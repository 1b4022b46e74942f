// The picture of `adit show --watch`: rates, bars and what stands out, in any width.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/text.h"
#include "daemon/watch/line.h"
#include "daemon/watch/render.h"

namespace adit::watch {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kNow = 1'700'000'000;

Json gateway(uint64_t bytes = 0, uint64_t packets = 0, uint64_t bad_macs = 0) {
  Json json = Json::parse(R"({
    "interface": {"name": "wg0", "listen_port": 342, "addresses": ["10.1.2.5/24"]},
    "peers": [{"name": "home", "public_key": "KEY", "endpoint": "198.51.100.2:342"}],
    "forwards": [{"name": "factorio", "protocol": "udp", "to": "10.1.2.2:34197", "flows": 3, "max_flows": 64,
                  "service_is_reachable": true}]})");
  json["peers"][0]["latest_handshake"] = kNow - 12;
  json["peers"][0]["received_bytes"] = bytes;
  json["peers"][0]["sent_bytes"] = 2 * bytes;
  json["forwards"][0]["packets_in"] = packets;
  json["forwards"][0]["packets_out"] = 0;
  json["drops"] = Json::object();
  if (bad_macs > 0) json["drops"]["bad_mac"] = bad_macs;
  return json;
}

/// Looks a second apart.
History history_of(const std::vector<Json>& looks) {
  History history;
  double at = 100;
  for (const Json& look : looks) history.add(at++, look);
  return history;
}

std::string picture(const std::vector<Json>& looks, size_t width = 100, Style style = {}) {
  std::string text;
  for (const std::string& line : render(looks.back(), history_of(looks), kNow, width, style)) text += line + "\n";
  return text;
}

bool says(const std::string& picture, const std::string& text) { return picture.find(text) != std::string::npos; }

TEST(Watch, BeforeTheSecondLookRatesAreZero) {
  const std::string text = picture({gateway(1'000'000, 500)});
  EXPECT_TRUE(says(text, "in  0 bit/s")) << text;
  EXPECT_TRUE(says(text, "in  0 packets/s")) << text;
}

TEST(Watch, RatesAreBitsOfPeersAndPacketsOfForwards) {
  const std::string text = picture({gateway(0, 0), gateway(125'000, 120)});
  EXPECT_TRUE(says(text, "in  1 Mbit/s")) << text;
  EXPECT_TRUE(says(text, "out 2 Mbit/s")) << text;
  EXPECT_TRUE(says(text, "in  120 packets/s")) << text;
}

TEST(Watch, RatesAreOfTheLastTimeBetweenLooks) {
  History history;
  history.add(0, gateway(0));
  history.add(1, gateway(1000));
  history.add(3, gateway(2000));
  EXPECT_EQ(history.rates(History::of_peer("KEY", " in")), (std::vector<double>{1000, 500}));
  EXPECT_EQ(history.rate(History::of_peer("KEY", " in")), 500);
}

TEST(Watch, AnotherGatewayOfThatNameBeginsAnew) {
  const History history = history_of({gateway(5000), gateway(9000), gateway(10)});
  EXPECT_TRUE(history.rates(History::of_peer("KEY", " in")).empty());
  EXPECT_EQ(history.rate(History::of_peer("KEY", " in")), 0);
}

TEST(Watch, OnlyTheLastThirtyRatesAreKept) {
  std::vector<Json> looks;
  for (uint64_t i = 0; i < 100; ++i) looks.push_back(gateway(i * i));
  EXPECT_EQ(history_of(looks).rates(History::of_peer("KEY", " in")).size(), 30u);
}

TEST(Watch, WhatComesUpForTheFirstTimeHasNoRateYet) {
  Json more = gateway();
  more["peers"].push_back(more["peers"][0]);
  more["peers"][1]["public_key"] = "OTHER";
  more["peers"][1]["received_bytes"] = 1'000'000;
  EXPECT_EQ(history_of({gateway(), more}).rate(History::of_peer("OTHER", " in")), 0);
}

TEST(Watch, BarsAreRelativeToTheHighest) {
  EXPECT_EQ(sparkline({0, 1, 7, 3}, 10, false), "_.#-");
  EXPECT_EQ(sparkline({0, 1, 7, 3}, 10, true), "▁▂█▄");
  EXPECT_EQ(sparkline({0, 0}, 10, false), "__");
  EXPECT_EQ(sparkline({9, 0, 1, 2}, 2, false), "=#") << "the latest";
  EXPECT_EQ(sparkline({}, 10, true), "");
  EXPECT_EQ(sparkline({1, 1'000'000}, 10, false), ".#") << "little is more than nothing";
}

TEST(Watch, DropsThatGrowStandOut) {
  const Style colours{.colours = true};
  EXPECT_TRUE(says(picture({gateway(0, 0, 5), gateway(0, 0, 5)}, 100, colours), "  bad_mac 5\n"));
  EXPECT_TRUE(says(picture({gateway(0, 0, 5), gateway(0, 0, 7)}, 100, colours), "\x1b[1;31mbad_mac 7 (+2)\x1b[0m"));
  EXPECT_TRUE(says(picture({gateway(0, 0, 0), gateway(0, 0, 3)}), "bad_mac 3 (+3)")) << "the first, too";
  EXPECT_TRUE(says(picture({gateway()}), "drops  none"));
}

TEST(Watch, SaysHowThePeerAndThePlayersAre) {
  const std::string text = picture({gateway()});
  for (const char* each : {"wg0  udp port 342  10.1.2.5/24", "peer home  handshake 12 s ago  198.51.100.2:342",
                           "forward factorio  3 of 64 flows  to 10.1.2.2:34197"}) {
    EXPECT_TRUE(says(text, each)) << text;
  }
  Json lonely = gateway();
  lonely["peers"][0]["latest_handshake"] = nullptr;
  lonely["peers"][0]["endpoint"] = nullptr;
  lonely["forwards"][0]["service_is_reachable"] = false;
  EXPECT_TRUE(says(picture({lonely}), "no handshake yet"));
  EXPECT_TRUE(says(picture({lonely}), "service unreachable"));
}

TEST(Watch, NoLineIsWiderThanTheTerminal) {
  std::vector<Json> looks;
  for (uint64_t i = 0; i < 40; ++i) looks.push_back(gateway(i * i * 1'000'000'000, i * i * 100'000, i));
  Json& last = looks.back();
  for (int i = 0; i < 20; ++i) last["drops"]["a_long_reason_" + std::to_string(i)] = 1'000'000;
  last["peers"][0]["name"] = std::string(200, 'n');
  for (size_t width = 40; width < 200; ++width) {
    for (const std::string& line : render(last, history_of(looks), kNow, width, {.unicode = true})) {
      EXPECT_LE(columns_of(line), width) << line;
    }
  }
  EXPECT_TRUE(says(picture(looks, 40), "a_long_reason_19")) << "drops take as many lines as they need";
}

TEST(Watch, WithoutColoursThereIsNoEscape) {
  const std::vector<Json> looks = {gateway(0, 0, 1), gateway(9, 9, 9)};
  EXPECT_FALSE(says(picture(looks), "\x1b"));
  EXPECT_TRUE(says(picture(looks, 100, {.colours = true}), "\x1b"));
}

TEST(Watch, NamesCannotWriteEscapes) {
  Json evil = gateway();
  evil["peers"][0]["name"] = "\x1b[2Jx";
  EXPECT_TRUE(says(picture({evil}), "peer ?[2Jx"));
}

TEST(Watch, ManyPeersAreCounted) {
  Json many = gateway();
  for (size_t i = 1; i < kMostPeers + 5; ++i) many["peers"].push_back(many["peers"][0]);
  EXPECT_TRUE(says(picture({many}), "and 5 more peers"));
}

TEST(Watch, SaysThatTheGatewayIsGone) {
  EXPECT_EQ(render_gone("wg0", 80, {}), std::vector<std::string>{"wg0  gateway is gone"});
}

TEST(Text, OfRatesAndTimes) {
  using namespace adit::daemon;
  EXPECT_EQ(bit_rate_text(0), "0 bit/s");
  EXPECT_EQ(bit_rate_text(124), "992 bit/s");
  EXPECT_EQ(bit_rate_text(154'321), "1.23 Mbit/s");
  EXPECT_EQ(bit_rate_text(1.25e8), "1 Gbit/s");
  EXPECT_EQ(bit_rate_text(99.96e6 / 8), "100 Mbit/s");
  EXPECT_EQ(packet_rate_text(119.6), "120 packets/s");
  EXPECT_EQ(short_span_text(-5), "0 s");
  EXPECT_EQ(short_span_text(119), "119 s");
  EXPECT_EQ(short_span_text(120), "2 min");
  EXPECT_EQ(short_span_text(7200), "2 h");
  EXPECT_EQ(short_span_text(200'000), "2 d");
  EXPECT_EQ(ago_text(0), "now");
  EXPECT_EQ(ago_text(3725), "1 hour, 2 minutes, 5 seconds ago");
  EXPECT_EQ(span_text(0), "0 seconds");
  EXPECT_EQ(size_text(1536), "1.50 KiB");
}

}  // namespace
}  // namespace adit::watch
