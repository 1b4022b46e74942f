// The forwarder against a naive one of std::map: long random lives, and after every step both must say the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "forward/forwarder.h"
#include "tests/forward/packets.h"

namespace adit::forward {
namespace {

// Nothing here is clever: every question is answered by looking at all flows.

using PublicKey = std::tuple<ListenerId, Endpoint, Ip>;

PublicKey key_of(const PublicSide& side) { return {side.listener, side.client, side.local}; }

struct ModelFlow {
  PublicSide side;
  RuleId rule;
  Endpoint ours;
  Endpoint remote;
  FlowState state;
  Time last_seen;
  uint64_t moved;  // counts what made flows the newest of their kind
};

struct ModelStats {
  uint64_t opened = 0, evicted = 0, packets_in = 0, bytes_in = 0, packets_out = 0, bytes_out = 0;
  std::map<Drop, uint64_t> drops;
};

/// What becomes of a client's datagram.
struct Verdict {
  Drop drop = Drop::kNone;
  std::optional<PublicKey> evicted;
};

/// Says what must happen; only which SNAT port a new flow gets is the forwarder's own business.
class Model {
 public:
  explicit Model(Settings settings) : settings_(std::move(settings)), stats(settings_.rules.size()) {
    for (RuleId id = 0; id < settings_.rules.size(); ++id) {
      for (const Listener& listener : settings_.rules[id].listeners) {
        rule_of_.push_back(id);
        service_of_.push_back(listener.to);
      }
    }
  }

  Verdict send(const PublicSide& side, Time now) {
    const Drop refusal = refuse(side);
    if (refusal != Drop::kNone || flows.contains(key_of(side))) return {refusal, {}};
    const RuleId id = rule_of_[side.listener];
    const Rule& rule = settings_.rules[id];
    const Endpoint& service = service_of_[side.listener];
    const bool is_full = count_of(id) >= rule.max_flows;
    const size_t ports = size_t{settings_.last_snat_port} - settings_.first_snat_port + 1;
    const bool lacks_port = !keeps(id) && count([&](const ModelFlow& flow) {
                                            return flow.remote == service && !keeps(flow.rule);
                                          }) == ports;
    Verdict verdict;
    if (is_full || lacks_port) {
      full_[id] = true;
      if (lacks_port) lacks_ports_[id] = service;
      verdict.evicted = least_worth(id, lacks_port ? std::optional(service) : std::nullopt);
      if (!verdict.evicted) return {is_full ? Drop::kFlowTableFull : Drop::kNoPort, {}};
    }
    if (rule.max_new_flows_per_source > 0) {
      Time& full_at = full_at_[{id, source_of(side.client.ip)}];
      const Time then = std::max(full_at, now) + Duration(seconds(1)) / rule.max_new_flows_per_source;
      if (then > now + seconds(1)) return {Drop::kSourceRate, {}};
      full_at = then;
    }
    return verdict;
  }

  /// The datagram went through and the service sees it come from `ours`; false when it must not look so.
  bool went_in(const PublicSide& side, const Verdict& verdict, const Endpoint& ours, const Endpoint& remote, Time now) {
    const RuleId id = rule_of_[side.listener];
    if (remote != service_of_[side.listener]) return false;
    const auto known = flows.find(key_of(side));
    if (known != flows.end()) {
      const bool proves = known->second.state == FlowState::kAnswered;
      use(known->second, proves ? FlowState::kEstablished : known->second.state, now);
      return known->second.ours == ours;
    }
    if (verdict.evicted) {
      ++stats[flows.at(*verdict.evicted).rule].evicted;
      flows.erase(*verdict.evicted);
    }
    const bool is_our_address = ours.ip == (remote.ip.is_v4() ? settings_.our_v4 : settings_.our_v6);
    const bool is_snat_port = settings_.first_snat_port <= ours.port && ours.port <= settings_.last_snat_port;
    const bool is_right = keeps(id) ? ours == side.client : is_our_address && is_snat_port;
    if (!is_right || find(ours, remote) != nullptr) return false;
    flows[key_of(side)] = {side, id, ours, remote, FlowState::kUnanswered, now, ++moves_};
    ++stats[id].opened;
    return true;
  }

  void answered(ModelFlow& flow, Time now) {
    use(flow, flow.state == FlowState::kUnanswered ? FlowState::kAnswered : flow.state, now);
  }

  ModelFlow* find(const Endpoint& ours, const Endpoint& remote) {
    for (auto& [key, flow] : flows) {
      if (flow.ours == ours && flow.remote == remote) return &flow;
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
    for (RuleId id = 0; id < stats.size(); ++id) {
      const size_t in_use = count([&](const ModelFlow& flow) {
        return lacks_ports_.contains(id) && flow.remote == lacks_ports_[id] && !keeps(flow.rule);
      });
      const size_t most = settings_.rules[id].max_flows;
      if (count_of(id) >= most - most / 4 || in_use >= 25 - 25 / 4) continue;
      full_[id] = false;
      lacks_ports_.erase(id);
    }
  }
  /// Rules that have become full or not full since this was last asked.
  std::map<RuleId, bool> fullness() {
    std::map<RuleId, bool> changed;
    for (const auto& [id, is_full] : full_) {
      if (std::exchange(told_full_[id], is_full) != is_full) changed[id] = is_full;
    }
    return changed;
  }
  /// What does not go from one forwarder to the next.
  void forget() {
    full_at_.clear();
    full_.clear();
    told_full_.clear();
    lacks_ports_.clear();
  }

  template <typename Predicate>
  size_t count(Predicate predicate) const {
    return static_cast<size_t>(
        std::ranges::count_if(flows, [&](const auto& entry) { return predicate(entry.second); }));
  }
  size_t count_of(RuleId id) const {
    return count([id](const ModelFlow& flow) { return flow.rule == id; });
  }
  size_t count_of(RuleId id, FlowState state) const {
    return count([&](const ModelFlow& flow) { return flow.rule == id && flow.state == state; });
  }
  RuleId rule_of(ListenerId listener) const { return rule_of_[listener]; }
  size_t listeners() const { return rule_of_.size(); }

 private:
  static Prefix source_of(const Ip& client) { return Prefix::of(client, client.is_v4() ? 32 : 64); }
  bool keeps(RuleId id) const { return settings_.rules[id].source == Source::kKeep; }

  Drop refuse(const PublicSide& side) {
    const RuleId id = rule_of_[side.listener];
    const Rule& rule = settings_.rules[id];
    const Endpoint& service = service_of_[side.listener];
    const bool v4 = service.ip.is_v4();
    const bool is_new = !flows.contains(key_of(side));
    const std::optional<Ip>& our_address = v4 ? settings_.our_v4 : settings_.our_v6;
    if (is_new) {
      const bool* allowed = rule.from ? rule.from->find(side.client.ip) : nullptr;
      if (rule.from && (allowed == nullptr || !*allowed)) return Drop::kNotAllowed;
      if (keeps(id) ? side.client.ip.is_v4() != v4 : !our_address) return Drop::kNoAddress;
    }
    if (!is_new) return Drop::kNone;
    const Prefix source = source_of(side.client.ip);
    const auto is_neighbour = [&](const ModelFlow& flow) {
      return flow.rule == id && source.contains(flow.side.client.ip);
    };
    if (count(is_neighbour) >= rule.max_flows_per_source) return Drop::kSourceFlowsFull;
    const bool is_had = find(side.client, service) != nullptr || side.client.ip == our_address;
    return keeps(id) && is_had ? Drop::kNoPort : Drop::kNone;
  }

  std::optional<PublicKey> least_worth(RuleId id, const std::optional<Endpoint>& service) const {
    for (const FlowState state : {FlowState::kUnanswered, FlowState::kAnswered}) {
      const ModelFlow* newest = nullptr;
      for (const auto& [key, flow] : flows) {
        if (flow.rule != id || flow.state != state || (service && flow.remote != *service)) continue;
        if (newest == nullptr || flow.moved > newest->moved) newest = &flow;
      }
      if (newest != nullptr) return key_of(newest->side);
    }
    return {};
  }

  /// What comes at one moment comes together: it makes no flow newer than another.
  void use(ModelFlow& flow, FlowState state, Time now) {
    if (now > flow.last_seen || state != flow.state) flow.moved = ++moves_;
    flow.last_seen = now;
    flow.state = state;
  }

  Time end_of(const ModelFlow& flow) const {
    const Rule& rule = settings_.rules[flow.rule];
    return flow.last_seen + (flow.state == FlowState::kUnanswered ? rule.unanswered_timeout : rule.idle_timeout);
  }

  Settings settings_;
  std::vector<RuleId> rule_of_;
  std::vector<Endpoint> service_of_;
  uint64_t moves_ = 0;
  std::map<std::pair<RuleId, Prefix>, Time> full_at_;
  std::map<RuleId, bool> full_, told_full_;
  std::map<RuleId, Endpoint> lacks_ports_;

 public:
  std::map<PublicKey, ModelFlow> flows;
  std::vector<ModelStats> stats;
};

/// Rules that share a service, one with two services, one with a table, two that keep the client's address; every limit
/// is low enough to be met.
Settings tight_settings(uint64_t seed) {
  Settings settings;
  settings.our_v4 = ip("10.1.2.5");
  settings.our_v6 = ip("fd00::5");
  settings.mtu = 200;
  settings.first_snat_port = 30000;
  settings.last_snat_port = 30024;
  settings.seed = seed;
  uint16_t port = 1;
  const auto add = [&](std::initializer_list<const char*> services, uint32_t max_flows, uint32_t per_source,
                       Duration idle, Duration unanswered) -> Rule& {
    Rule& rule = settings.rules.emplace_back();
    rule.name = "rule " + std::to_string(port);
    for (const char* each : services) rule.listeners.push_back({{ip("203.0.113.1"), port++}, endpoint(each)});
    rule.max_flows = max_flows;
    rule.max_flows_per_source = per_source;
    rule.idle_timeout = idle;
    rule.unanswered_timeout = unanswered;
    return rule;
  };
  add({"10.1.2.2:5000", "10.1.2.2:5000", "10.1.2.2:5001"}, 20, 6, milliseconds(700), milliseconds(200));
  Rule& second = add({"10.1.2.2:5000"}, 16, 64, milliseconds(300), milliseconds(400));
  second.from.emplace();
  second.from->set(Prefix::parse("198.51.100.0/24").value(), true);
  second.from->set(Prefix::parse("198.51.100.3/32").value(), false);
  second.from->set(Prefix::parse("2001:db8::/32").value(), true);
  add({"[fd00::2]:5000"}, 40, 6, seconds(1), milliseconds(500)).max_new_flows_per_source = 3;
  add({"10.1.2.2:5000", "10.1.2.2:5000"}, 4, 4, seconds(3), milliseconds(300)).source = Source::kKeep;
  add({"[fd00::2]:5000"}, 3, 3, seconds(3), milliseconds(300)).source = Source::kKeep;
  return settings;
}

class Life {
 public:
  explicit Life(uint32_t seed) : random_(seed), forwarder_(tight_settings(seed)), model_(tight_settings(seed)) {}

  void step() {
    const uint32_t choice = pick(1000);
    if (choice < 550) return client_sends();
    if (choice < 900) return service_sends();
    now_ += nanoseconds(pick(60'000'000));
    if (choice < 970) return expire();
    if (choice < 973) hand_over();
  }

  void compare_counters() {
    for (RuleId id = 0; id < forwarder_.rule_count(); ++id) {
      const RuleStats& stats = forwarder_.stats(id);
      const ModelStats& expected = model_.stats[id];
      ASSERT_EQ(stats.flows, model_.count_of(id));
      ASSERT_EQ(stats.flows_unanswered, model_.count_of(id, FlowState::kUnanswered));
      ASSERT_EQ(stats.flows_established, model_.count_of(id, FlowState::kEstablished));
      ASSERT_EQ(stats.flows_opened, expected.opened);
      ASSERT_EQ(stats.flows_evicted, expected.evicted);
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
    std::map<RuleId, bool> fullness;
    for (const Fullness& each : forwarder_.take_fullness()) fullness[each.rule] = each.is_full;
    ASSERT_EQ(fullness, model_.fullness());
    ASSERT_FALSE(forwarder_.has_fullness());
  }
  uint64_t evictions() const { return evictions_; }
  /// Whether this life has met a reason: a model test that never fills a table proves nothing about full tables.
  bool has_seen(Drop drop) const { return seen_.contains(drop); }

 private:
  uint32_t pick(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }

  PublicSide any_client() {
    const uint32_t who = pick(8);
    std::array<uint8_t, 16> subnet = ip("2001:db8::").raw();
    subnet[7] = static_cast<uint8_t>(who % 3);
    subnet[15] = static_cast<uint8_t>(pick(4));
    const Ip address = pick(50) == 0 ? ip("10.1.2.5") : who < 5 ? Ip::v4(0xc6336400 + who) : Ip::v6(subnet);
    return {.listener = pick(static_cast<uint32_t>(model_.listeners())),
            .client = {address, static_cast<uint16_t>(1 + pick(3))},
            .local = pick(4) == 0 ? ip("203.0.113.2") : ip("203.0.113.1")};
  }

  /// From a service: half of them of a flow.
  std::pair<Endpoint, Endpoint> any_tunnel_side() {
    if (pick(2) == 0 && !model_.flows.empty()) {
      const ModelFlow& flow = std::next(model_.flows.begin(), pick(static_cast<uint32_t>(model_.flows.size())))->second;
      return {flow.ours, flow.remote};
    }
    const bool v4 = pick(2) == 0;
    Endpoint service = endpoint(v4 ? "10.1.2.2:5000" : "[fd00::2]:5000");
    if (pick(6) == 0) ++service.port;
    const Endpoint client = any_client().client;
    if (pick(3) == 0 && client.ip.is_v4() == v4) return {client, service};
    return {{ip(v4 ? "10.1.2.5" : "fd00::5"), static_cast<uint16_t>(29998 + pick(30))}, service};
  }

  void client_sends() {
    const PublicSide side = any_client();
    const std::string payload(pick(20) == 0 ? 150 + pick(50) : pick(100), static_cast<char>('a' + pick(26)));
    ModelStats& expected = model_.stats[model_.rule_of(side.listener)];
    const Verdict verdict = model_.send(side, now_);
    const Drop drop = verdict.drop;
    evictions_ += verdict.evicted ? 1 : 0;
    Packet packet = packet_of(pool_, payload);
    PacketBatch inner;
    ASSERT_EQ(drop_name(forwarder_.from_public(side, std::move(packet), now_, pool_, inner)), drop_name(drop));
    DropCounters none;
    for (Packet& piece : inner) {
      packet = std::move(piece);
      (void)reassembler_.take(packet, now_, none);
    }
    if (drop != Drop::kNone) {
      ++expected.drops[drop];
      return;
    }
    ASSERT_EQ(inner.size(), packet.size() > 200 ? 2u : 1u) << "200 is the MTU";
    const UdpView view = udp_view(packet.bytes()).value();
    ASSERT_TRUE(model_.went_in(side, verdict, view.source, view.destination, now_));
    ASSERT_EQ(text_of(view.payload()), payload);
    ++expected.packets_in;
    expected.bytes_in += payload.size();
  }

  void service_sends() {
    const auto [ours, service] = any_tunnel_side();
    const bool v4 = service.ip.is_v4();
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
    model_.answered(*flow, now_);
    ++stats.packets_out;
    stats.bytes_out += payload.size();
  }

  void expire() {
    ASSERT_LE(forwarder_.next_deadline(), model_.deadline());
    do {
      forwarder_.expire(now_);
    } while (forwarder_.next_deadline() <= now_);
    model_.expire(now_);
    ASSERT_EQ(forwarder_.next_deadline(), model_.deadline());
  }

  /// A new forwarder goes on where the old one was.
  void hand_over() {
    expire();
    const std::vector<SavedFlow> saved = forwarder_.save(now_);
    ASSERT_EQ(saved.size(), model_.flows.size());
    Forwarder next(tight_settings(random_()));
    ASSERT_EQ(next.restore(saved, now_), saved.size());
    ASSERT_EQ(next.save(now_), saved);
    ASSERT_EQ(next.next_deadline(), model_.deadline());
    Forwarder successor(tight_settings(random_()));
    successor.take_over(forwarder_, now_);
    ASSERT_EQ(successor.save(now_), saved);
    forwarder_ = std::move(successor);
    model_.forget();
  }

  std::mt19937 random_;
  PacketPool pool_{8, 2048};
  Reassembler reassembler_{Reassembler::Limits{}};
  Forwarder forwarder_;
  Model model_;
  Time now_ = at(seconds(0));
  uint64_t evictions_ = 0;
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
    for (const Drop drop : {Drop::kNotAllowed, Drop::kFlowTableFull, Drop::kSourceFlowsFull, Drop::kSourceRate,
                            Drop::kNoPort, Drop::kNoAddress, Drop::kBadChecksum}) {
      EXPECT_TRUE(life.has_seen(drop)) << drop_name(drop);
    }
    EXPECT_GT(life.evictions(), 1000u);
  }
}

}  // namespace
}  // namespace adit::forward
