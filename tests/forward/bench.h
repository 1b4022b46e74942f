// A forwarder on a bench: clients on one end, services on the other.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "forward/forwarder.h"
#include "tests/forward/packets.h"

namespace adit::forward {

/// Unanswered flows last as long as others, for tests that are not about them.
inline Rule rule_to(std::string_view service) {
  Rule rule;
  rule.name = "game";
  rule.listeners = {{.listen = {}, .to = endpoint(service)}};
  rule.unanswered_timeout = rule.idle_timeout;
  return rule;
}

inline Settings settings_of(std::vector<Rule> rules) {
  Settings settings;
  settings.rules = std::move(rules);
  settings.our_v4 = ip("10.1.2.5");
  settings.our_v6 = ip("fd00:1:2::5");
  return settings;
}

inline PublicSide from(std::string_view client, std::string_view local = "203.0.113.1", ListenerId listener = 0) {
  return {.listener = listener, .client = endpoint(client), .local = ip(local)};
}

/// A forwarder with clients on one end and services on the other.
class Bench {
 public:
  explicit Bench(Settings settings) : forwarder_(std::move(settings)) { pool_.add_large(2, 65535); }

  Drop send(const PublicSide& side, std::string_view payload, Time now = at(seconds(0))) {
    pieces_.clear();
    const Drop drop = forwarder_.from_public(side, packet_of(pool_, payload), now, pool_, pieces_);
    EXPECT_EQ(pieces_.empty(), drop != Drop::kNone);
    if (pieces_.size() == 1) inner_ = std::move(pieces_.front());
    return drop;
  }
  /// send(), and where the service would see it come from.
  Endpoint open(const PublicSide& side, Time now = at(seconds(0))) {
    EXPECT_EQ(send(side, "open", now), Drop::kNone);
    return udp_view(inner_.bytes()).value().source;
  }
  /// A flow with all that proves its client: from where the service sees it.
  Endpoint establish(const PublicSide& side, Time now = at(seconds(0))) {
    const Endpoint ours = open(side, now);
    const Endpoint service = udp_view(inner_.bytes()).value().destination;
    EXPECT_EQ(answer(service, ours, "answer", now), Release::kToPublic);
    EXPECT_EQ(open(side, now), ours);
    return ours;
  }
  Release answer(const Endpoint& service, const Endpoint& ours, std::string_view payload, Time now = at(seconds(0))) {
    return deliver(udp_packet(pool_, service, ours, payload), now);
  }
  Release deliver(Packet packet, Time now = at(seconds(0))) {
    inner_ = std::move(packet);
    return forwarder_.from_tunnel(inner_, now, to_);
  }

  /// How many flows are left once those are gone whose time is up.
  uint32_t flows_at(Time now) {
    forwarder_.expire(now);
    uint32_t flows = 0;
    for (RuleId id = 0; id < forwarder_.rule_count(); ++id) flows += stats(id).flows;
    return flows;
  }

  Forwarder& forwarder() { return forwarder_; }
  const RuleStats& stats(RuleId id = 0) const { return forwarder_.stats(id); }
  PacketPool& pool() { return pool_; }
  Packet& inner() { return inner_; }         // the packet of the last call
  PacketBatch& pieces() { return pieces_; }  // the fragments of the last send(), if they were several
  const PublicSide& to() const { return to_; }

 private:
  PacketPool pool_{64, 2048};
  Forwarder forwarder_;
  Packet inner_;
  PacketBatch pieces_;
  PublicSide to_;
};

}  // namespace adit::forward
