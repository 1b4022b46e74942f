// The forwarder against a naive one of std::map: long random lives, and after every step both must say the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "forward/forwarder.h"
#include "tests/forward/packets.h"

namespace adit::forward {
namespace {

// Nothing here is clever: every question is answered by looking at all flows.

using PublicKey = std::tuple<ListenerId, Endpoint, Ip>;

PublicKey key_of(const PublicSide& side) { return {side.listener, side.client, side.local}; }

const Endpoint& service_of(const Rule& rule) { return rule.listeners.front().to; }

struct ModelFlow {
  PublicSide side;
  RuleId rule;
  Endpoint ours;
  Time last_seen;
};

struct ModelStats {
  uint64_t opened = 0, packets_in = 0, bytes_in = 0, packets_out = 0, bytes_out = 0;
  std::map<Drop, uint64_t> drops;
};

/// Says what must happen; only which SNAT port a new flow gets is the forwarder's own business.
class Model {
 public:
  explicit Model(Settings settings) : settings_(std::move(settings)), stats(settings_.rules.size()) {
    for (RuleId id = 0; id < settings_.rules.size(); ++id) {
      for (size_t i = 0; i < settings_.rules[id].listeners.size(); ++i) rule_of_.push_back(id);
    }
  }

  Drop expect_in(const PublicSide& side, size_t payload) const {
    const RuleId id = rule_of_[side.listener];
    const Rule& rule = settings_.rules[id];
    if (!flows.contains(key_of(side))) {
      const bool* allowed = rule.from ? rule.from->find(side.client.ip) : nullptr;
      if (rule.from && (allowed == nullptr || !*allowed)) return Drop::kNotAllowed;
      if (!(service_of(rule).ip.is_v4() ? settings_.our_v4 : settings_.our_v6)) return Drop::kNoAddress;
      if (count([&](const ModelFlow& flow) { return flow.rule == id; }) >= rule.max_flows) return Drop::kFlowTableFull;
      const Prefix source = Prefix::of(side.client.ip, side.client.ip.is_v4() ? 32 : 64);
      const auto is_neighbour = [&](const ModelFlow& flow) {
        return flow.rule == id && source.contains(flow.side.client.ip);
      };
      if (count(is_neighbour) >= rule.max_flows_per_source) return Drop::kSourceFlowsFull;
    }
    if (payload + (service_of(rule).ip.is_v4() ? 28 : 48) > settings_.mtu) return Drop::kTooBig;
    if (flows.contains(key_of(side))) return Drop::kNone;
    const size_t ports = size_t{settings_.last_snat_port} - settings_.first_snat_port + 1;
    const auto same_service = [&](const ModelFlow& flow) {
      return service_of(settings_.rules[flow.rule]) == service_of(rule);
    };
    return count(same_service) == ports ? Drop::kNoPort : Drop::kNone;
  }

  /// The datagram went through and the service sees it come from `ours`; false when it must not look so.
  bool went_in(const PublicSide& side, const Endpoint& ours, const Endpoint& remote, Time now) {
    const RuleId id = rule_of_[side.listener];
    if (remote != service_of(settings_.rules[id])) return false;
    const auto known = flows.find(key_of(side));
    if (known != flows.end()) {
      known->second.last_seen = now;
      return known->second.ours == ours;
    }
    const bool is_our_address = ours.ip == (remote.ip.is_v4() ? settings_.our_v4 : settings_.our_v6);
    const bool is_snat_port = settings_.first_snat_port <= ours.port && ours.port <= settings_.last_snat_port;
    if (!is_our_address || !is_snat_port || find(ours, remote) != nullptr) return false;
    flows[key_of(side)] = {side, id, ours, now};
    ++stats[id].opened;
    return true;
  }

  ModelFlow* find(const Endpoint& ours, const Endpoint& remote) {
    for (auto& [key, flow] : flows) {
      if (flow.ours == ours && service_of(settings_.rules[flow.rule]) == remote) return &flow;
    }
    return nullptr;
  }

  Time deadline() const {
    Time earliest = kNever;
    for (const auto& [key, flow] : flows) earliest = std::min(earliest, end_of(flow));
    return earliest;
  }
  void expire(Time now) {
    std::erase_if(flows, [&](const auto& entry) { return end_of(entry.second) <= now; });
  }

  template <typename Predicate>
  size_t count(Predicate predicate) const {
    return static_cast<size_t>(
        std::ranges::count_if(flows, [&](const auto& entry) { return predicate(entry.second); }));
  }
  RuleId rule_of(ListenerId listener) const { return rule_of_[listener]; }

 private:
  Time end_of(const ModelFlow& flow) const { return flow.last_seen + settings_.rules[flow.rule].idle_timeout; }

  Settings settings_;
  std::vector<RuleId> rule_of_;

 public:
  std::map<PublicKey, ModelFlow> flows;
  std::vector<ModelStats> stats;
};

/// Three rules of which two share a service and one has a table; every limit is low enough to be met.
Settings tight_settings(uint64_t seed) {
  Settings settings;
  settings.our_v4 = ip("10.1.2.5");
  settings.our_v6 = ip("fd00::5");
  settings.mtu = 200;
  settings.first_snat_port = 30000;
  settings.last_snat_port = 30024;
  settings.seed = seed;
  settings.rules.resize(3);
  const Listener listener{.listen = {}, .to = endpoint("10.1.2.2:5000")};
  settings.rules[0].listeners = {listener, listener};
  settings.rules[1].listeners = {listener};
  settings.rules[0].max_flows = 20;
  settings.rules[0].max_flows_per_source = 4;
  settings.rules[0].idle_timeout = milliseconds(700);
  settings.rules[1].max_flows = 12;
  settings.rules[1].idle_timeout = milliseconds(300);
  settings.rules[1].from.emplace();
  settings.rules[1].from->set(Prefix::parse("198.51.100.0/24").value(), true);
  settings.rules[1].from->set(Prefix::parse("198.51.100.3/32").value(), false);
  settings.rules[1].from->set(Prefix::parse("2001:db8::/32").value(), true);
  settings.rules[2].listeners = {{.listen = {}, .to = endpoint("[fd00::2]:5000")}};
  settings.rules[2].max_flows = 40;
  settings.rules[2].max_flows_per_source = 6;
  settings.rules[2].idle_timeout = seconds(1);
  return settings;
}

class Life {
 public:
  explicit Life(uint32_t seed) : random_(seed), forwarder_(tight_settings(seed)), model_(tight_settings(seed)) {}

  void step() {
    const uint32_t choice = pick(100);
    if (choice < 55) return client_sends();
    if (choice < 90) return service_sends();
    now_ += nanoseconds(pick(60'000'000));
    if (choice < 97) expire();
  }

  void compare_counters() {
    for (RuleId id = 0; id < 3; ++id) {
      const RuleStats& stats = forwarder_.stats(id);
      const ModelStats& expected = model_.stats[id];
      ASSERT_EQ(stats.flows, model_.count([&](const ModelFlow& flow) { return flow.rule == id; }));
      ASSERT_EQ(stats.flows_opened, expected.opened);
      ASSERT_EQ(stats.packets_in, expected.packets_in);
      ASSERT_EQ(stats.bytes_in, expected.bytes_in);
      ASSERT_EQ(stats.packets_out, expected.packets_out);
      ASSERT_EQ(stats.bytes_out, expected.bytes_out);
      uint64_t drops = 0;
      for (const auto& [drop, count] : expected.drops) {
        ASSERT_EQ(stats.drops[drop], count) << drop_name(drop);
        drops += count;
        seen_[drop] += count;
      }
      ASSERT_EQ(stats.drops.total(), drops);
    }
  }
  /// Whether this life has met a reason: a model test that never fills a table proves nothing about full tables.
  bool has_seen(Drop drop) const { return seen_.contains(drop); }

 private:
  uint32_t pick(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }

  PublicSide any_client() {
    const uint32_t who = pick(8);
    std::array<uint8_t, 16> subnet = ip("2001:db8::").raw();
    subnet[7] = static_cast<uint8_t>(who % 3);
    subnet[15] = static_cast<uint8_t>(pick(4));
    const Ip address = who < 5 ? Ip::v4(0xc6336400 + who) : Ip::v6(subnet);
    return {.listener = pick(4),
            .client = {address, static_cast<uint16_t>(1 + pick(3))},
            .local = pick(4) == 0 ? ip("203.0.113.2") : ip("203.0.113.1")};
  }

  void client_sends() {
    const PublicSide side = any_client();
    const std::string payload(pick(20) == 0 ? 150 + pick(50) : pick(100), static_cast<char>('a' + pick(26)));
    ModelStats& expected = model_.stats[model_.rule_of(side.listener)];
    const Drop drop = model_.expect_in(side, payload.size());
    Packet packet = packet_of(pool_, payload);
    ASSERT_EQ(drop_name(forwarder_.from_public(side, packet, now_)), drop_name(drop));
    if (drop != Drop::kNone) {
      ++expected.drops[drop];
      return;
    }
    const UdpView view = udp_view(packet.bytes()).value();
    ASSERT_TRUE(model_.went_in(side, view.source, view.destination, now_));
    ASSERT_EQ(text_of(view.payload()), payload);
    ++expected.packets_in;
    expected.bytes_in += payload.size();
  }

  void service_sends() {
    const bool v4 = pick(2) == 0;
    const Endpoint ours{ip(v4 ? "10.1.2.5" : "fd00::5"), static_cast<uint16_t>(29998 + pick(30))};
    Endpoint service = endpoint(v4 ? "10.1.2.2:5000" : "[fd00::2]:5000");
    if (pick(10) == 0) ++service.port;
    const std::string payload(pick(100), static_cast<char>('A' + pick(26)));
    Packet packet = udp_packet(pool_, service, ours, payload);
    const bool is_broken = pick(10) == 0;
    if (is_broken) packet.bytes()[udp_overhead(v4) - 1] ^= 1;  // the UDP checksum
    ModelFlow* flow = model_.find(ours, service);
    const Release expected = flow == nullptr ? Release::kNotOurs : is_broken ? Release::kDropped : Release::kToPublic;
    PublicSide to;
    ASSERT_EQ(forwarder_.from_tunnel(packet, now_, to), expected);
    if (flow == nullptr) return;
    ModelStats& stats = model_.stats[flow->rule];
    if (is_broken) {
      ++stats.drops[Drop::kBadChecksum];
      return;
    }
    ASSERT_EQ(to, flow->side);
    ASSERT_EQ(text_of(packet), payload);
    flow->last_seen = now_;
    ++stats.packets_out;
    stats.bytes_out += payload.size();
  }

  void expire() {
    ASSERT_EQ(forwarder_.next_deadline(), model_.deadline());
    while (forwarder_.next_deadline() <= now_) forwarder_.expire(now_);
    model_.expire(now_);
    ASSERT_EQ(forwarder_.next_deadline(), model_.deadline());
  }

  std::mt19937 random_;
  PacketPool pool_{4, 2048};
  Forwarder forwarder_;
  Model model_;
  Time now_ = at(seconds(0));
  std::map<Drop, uint64_t> seen_;
};

TEST(ForwarderModel, AgreesWithANaiveForwarderThroughLongRandomLives) {
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    Life life(seed);
    for (int i = 0; i < 50000; ++i) {
      life.step();
      if (i % 16 == 0) life.compare_counters();
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << ", step " << i;
    }
    life.compare_counters();
    for (const Drop drop : {Drop::kNotAllowed, Drop::kFlowTableFull, Drop::kSourceFlowsFull, Drop::kNoPort,
                            Drop::kTooBig, Drop::kBadChecksum}) {
      EXPECT_TRUE(life.has_seen(drop)) << drop_name(drop);
    }
  }
}

}  // namespace
}  // namespace adit::forward
