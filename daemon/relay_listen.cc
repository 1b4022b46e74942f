// The relay's listening sockets: which there are, and whom they take in.

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "daemon/relay_state.h"
#include "net/clock.h"

namespace adit::daemon {
namespace {

/// Accepted per wake-up: each costs a connection of our own, some 50 microseconds.
constexpr unsigned kMostAccepted = 16;
/// Descriptors left to the rest of the gateway: the control socket, names, sockets that are opened anew.
constexpr size_t kKeptFree = 32;
/// How long a listener rests when the system has no memory, or not even one descriptor.
constexpr Duration kRest = milliseconds(100);

Fd open_spare() noexcept { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

void Relay::reconfigure(const RelaySettings& settings) {
  std::vector<Fd> opened = open_new(settings);
  uint64_t capacity = 0;
  for (const RelayRule& each : settings.rules) capacity += each.rule.max_flows;
  for (const auto& rule : rules_) capacity += rule->stats.flows;  // which stay even if there may be fewer now
  forward::Admission admission(static_cast<uint32_t>(capacity), settings.seed);

  if (!spare_) spare_ = open_spare();
  follow(settings, std::move(opened), std::move(admission));
}

/// May not fail: connections would be left without listeners.
void Relay::follow(const RelaySettings& settings, std::vector<Fd> opened, forward::Admission admission) noexcept {
  const bool moved_v4 = our_v4_ != settings.our_v4;
  const bool moved_v6 = our_v6_ != settings.our_v6;
  our_v4_ = settings.our_v4;
  our_v6_ = settings.our_v6;
  interface_ = settings.interface;
  Rules rules = make_rules(settings);
  Listeners listeners = make_listeners(rules, std::move(opened));
  for (const auto& listener : listeners) listener->is_moved = listener->addresses.to.ip.is_v4() ? moved_v4 : moved_v6;
  admission_.emplace(std::move(admission));
  take_over(std::move(rules), std::move(listeners));
}

/// Sockets for the addresses that are new, in the settings' order.
std::vector<Fd> Relay::open_new(const RelaySettings& settings) {
  std::vector<Fd> opened;
  for (const RelayRule& each : settings.rules) {
    for (const forward::Listener& listener : each.rule.listeners) {
      if (find_listener(listener.listen) == listeners_.end()) opened.push_back(listen_tcp(listener.listen));
    }
  }
  return opened;
}

/// The old listener whose socket has this address; among those that were not taken over yet.
Relay::Listeners::iterator Relay::find_listener(const Endpoint& listen) {
  return std::ranges::find_if(listeners_, [&](const auto& each) { return each && each->addresses.listen == listen; });
}

Relay::Rules Relay::make_rules(const RelaySettings& settings) {
  Rules rules;
  for (const RelayRule& each : settings.rules) {
    auto& rule = rules.emplace_back(new RuleState{each, static_cast<forward::RuleId>(rules.size()), {}, {}, {}});
    const auto before =
        std::ranges::find_if(rules_, [&](const auto& old) { return old->settings.rule.name == each.rule.name; });
    if (before == rules_.end()) continue;
    rule->stats = (*before)->stats;
    rule->stats.flows = 0;
  }
  return rules;
}

/// A listener that stays is the same object, with its flows; one that has another service is another with its socket.
Relay::Listeners Relay::make_listeners(const Rules& rules, std::vector<Fd> opened) {
  Listeners listeners;
  auto next = opened.begin();
  for (const auto& rule : rules) {
    for (const forward::Listener& addresses : rule->settings.rule.listeners) {
      const auto old = find_listener(addresses.listen);
      if (old != listeners_.end() && (*old)->addresses == addresses) {
        (*old)->rule = rule.get();
        listeners.push_back(std::move(*old));
        continue;
      }
      auto& listener = listeners.emplace_back(
          new ListenerState{.addresses = addresses, .socket = {}, .rule = rule.get(), .watch = {}});
      if (old != listeners_.end()) (*old)->watch.reset();
      listener->socket = std::move(old != listeners_.end() ? (*old)->socket : *next++);
      listener->watch.emplace(loop_, listener->socket.get(),
                              [this, at = listener.get()](TcpWatch::Ready) { accept_from(*at); });
      listener->watch->want(true, false);
    }
  }
  return listeners;
}

/// Flows whose listener and source address have stayed, and whose client still may, move to its rule; the others end.
void Relay::take_over(Rules rules, Listeners listeners) {
  for (const auto& listener : listeners_) {
    if (listener) listener->is_gone = true;
  }
  for (const auto& old : rules_) {
    for (Flows RuleState::*list : {&RuleState::connecting, &RuleState::relaying}) {
      Flows& flows = *old.*list;
      while (!flows.empty()) {
        Flow& flow = flows.front();
        const bool may_stay = !flow.listener->is_gone && !flow.listener->is_moved &&
                              flow.listener->rule->settings.rule.lets_in(flow.client);
        if (!may_stay) {
          flow.connection->reset();
          flows.pop_front();
          continue;
        }
        RuleState& rule = *flow.listener->rule;
        Flows& others = rule.*list;
        others.splice(others.end(), flows, flow.place);
        flow.source = admission_->add(rule.id, flow.client);
        ++rule.stats.flows;
      }
    }
  }
  for (const auto& rule : rules) {
    for (Flows* list : {&rule->connecting, &rule->relaying}) {
      list->sort([](const Flow& a, const Flow& b) { return a.last_used < b.last_used; });
    }
  }
  rules_ = std::move(rules);
  listeners_ = std::move(listeners);
  arm_by(next_deadline(), read_clock().mono);
}

void Relay::accept_from(ListenerState& listener) {
  for (unsigned i = 0; i < kMostAccepted; ++i) {
    Accepted accepted = accept_tcp(listener.socket.get());
    if (accepted.socket) {
      open(listener, std::move(accepted));
    } else if (!may_accept_on(listener, errno)) {
      return;
    }
  }
}

bool Relay::may_accept_on(ListenerState& listener, int error) {
  if (error == EAGAIN || error == EWOULDBLOCK) return false;
  if (error == EMFILE || error == ENFILE) return refuse_with_spare(listener);
  if (error == ENOMEM || error == ENOBUFS) {
    pause(listener);
    return false;
  }
  return true;  // what became of one connection in the queue is said here, too
}

/// Whoever waits would otherwise wait until a descriptor is free, and wake us all the while.
bool Relay::refuse_with_spare(ListenerState& listener) {
  { const Fd closed = std::move(spare_); }
  Accepted refused = accept_tcp(listener.socket.get());
  const int error = errno;
  const bool has_refused = static_cast<bool>(refused.socket);
  if (has_refused) {
    reset_tcp(refused.socket);
    const Fd closed = std::move(refused.socket);
    listener.rule->stats.drops.count(Drop::kNoDescriptor);
  }
  spare_ = open_spare();
  if (!has_refused && error != EAGAIN && error != EWOULDBLOCK) pause(listener);
  return has_refused;
}

void Relay::pause(ListenerState& listener) {
  listener.watch->want(false, false);
  const Time now = read_clock().mono;
  resume_at_ = std::min(resume_at_, now + kRest);
  arm_by(resume_at_, now);
}

void Relay::resume() {
  resume_at_ = kNever;
  for (const auto& listener : listeners_) listener->watch->want(true, false);
}

void Relay::open(ListenerState& listener, Accepted accepted) {
  const bool is_scarce = static_cast<size_t>(accepted.socket.get()) + kKeptFree >= descriptor_limit_;
  const Drop drop = is_scarce ? Drop::kNoDescriptor : begin(listener, accepted, read_clock().mono);
  if (drop == Drop::kNone) return;
  listener.rule->stats.drops.count(drop);
  reset_tcp(accepted.socket);
}

}  // namespace adit::daemon
