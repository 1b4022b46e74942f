#include "daemon/relay.h"

#include <algorithm>
#include <utility>

#include "daemon/relay_state.h"
#include "forward/proxy_protocol.h"
#include "net/clock.h"

namespace adit::daemon {
namespace {

// What one round of the loop may move: a millisecond's work.  Those that were ready share it.
constexpr size_t kRoundBytes = 1 << 20;
constexpr size_t kMostAtOnce = 64 << 10;
constexpr size_t kLeastAtOnce = 4 << 10;
/// Connections that one wake-up of the timer ends.
constexpr unsigned kMostExpired = 256;

Time after(Time time, Duration duration) noexcept { return duration < kNever - time ? time + duration : kNever; }

forward::ProxyHeader header_for(config::ProxyProtocol protocol, const Accepted& accepted) {
  if (protocol == config::ProxyProtocol::kNone) return {};
  const Endpoint local = local_of(accepted.socket.get());
  if (protocol == config::ProxyProtocol::kV1) return forward::ProxyHeader::v1(accepted.client, local);
  return forward::ProxyHeader::v2(accepted.client, local);
}

}  // namespace

struct Relay::Handles {
  uv_timer_t timer;
  uv_check_t check;
  Relay* relay;
  unsigned open = 2;

  static void on_closed(uv_handle_t* handle) {
    auto* handles = static_cast<Handles*>(handle->data);
    if (--handles->open == 0) delete handles;
  }
};

Relay::Relay(Loop& loop, const RelaySettings& settings)
    : loop_(loop),
      descriptor_limit_(raise_descriptor_limit()),
      scratch_(new uint8_t[kMostAtOnce]),
      handles_(new Handles{{}, {}, this}) {
  uv_timer_init(loop_.raw(), &handles_->timer);
  uv_check_init(loop_.raw(), &handles_->check);
  handles_->timer.data = handles_.get();
  handles_->check.data = handles_.get();
  uv_check_start(&handles_->check, [](uv_check_t* check) {
    Relay& relay = *static_cast<Handles*>(check->data)->relay;
    relay.served_before_ = std::exchange(relay.served_, 0);
  });
  reconfigure(settings);
}

void Relay::CloseHandles::operator()(Handles* handles) const noexcept {
  uv_close(reinterpret_cast<uv_handle_t*>(&handles->timer), Handles::on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles->check), Handles::on_closed);
}

Relay::~Relay() {
  for (const auto& rule : rules_) {
    for (Flows* list : {&rule->connecting, &rule->relaying}) {
      for (Flow& flow : *list) flow.connection->reset();
    }
  }
}

std::vector<forward::RuleStats> Relay::stats() const {
  std::vector<forward::RuleStats> all;
  for (const auto& rule : rules_) all.push_back(rule->stats);
  return all;
}

size_t Relay::bytes_per_connection() noexcept { return sizeof(Flow) + 2 * sizeof(void*) + 2 * TcpWatch::size(); }

/// What follows for a connection that was accepted; kNone when it is a flow now.
Drop Relay::begin(ListenerState& listener, Accepted& accepted, Time now) {
  RuleState& rule = *listener.rule;
  const Endpoint& service = listener.addresses.to;
  const Drop refusal = admission_->ask(rule.settings.rule, rule.id, rule.stats.flows, accepted.client.ip, now);
  if (refusal != Drop::kNone) return refusal;
  const std::optional<Ip>& ours = service.ip.is_v4() ? our_v4_ : our_v6_;
  if (!ours) return Drop::kNoAddress;
  Fd socket = connect_tcp(*ours, service, interface_);
  if (!socket) return drop_of_connect_error(errno);
  const forward::ProxyHeader header = header_for(rule.settings.proxy_protocol, accepted);
  Flow& flow = rule.connecting.emplace_back(*this, listener, accepted.client.ip, now);
  flow.place = std::prev(rule.connecting.end());
  try {
    flow.connection.emplace(loop_, std::move(accepted.socket), std::move(socket), header.bytes(), flow);
  } catch (const std::runtime_error&) {  // the system watches no more descriptors
    rule.connecting.pop_back();
    return Drop::kNoDescriptor;
  }
  flow.source = admission_->add(rule.id, flow.client);
  ++rule.stats.flows;
  ++rule.stats.flows_opened;
  arm_by(after(now, rule.settings.connect_timeout), now);
  return Drop::kNone;
}

void Relay::serve(Flow& flow, RelayConnection::Side side, TcpWatch::Ready ready) {
  RuleState& rule = *flow.listener->rule;
  switch (flow.connection->serve(side, ready, share_of_round(), rule.stats)) {
    case RelayConnection::State::kRelaying:
      return refresh(flow, read_clock().mono);
    case RelayConnection::State::kEnded:
      return close(flow);
    case RelayConnection::State::kBroken:
      return reset(flow);
    case RelayConnection::State::kFailed:
      rule.stats.drops.count(flow.connection->why_failed());
      return reset(flow);
  }
}

/// Moves the flow to where the last used one of its rule is.
void Relay::refresh(Flow& flow, Time now) noexcept {
  RuleState& rule = *flow.listener->rule;
  Flows& from = flow.is_connecting ? rule.connecting : rule.relaying;
  if (flow.is_connecting) arm_by(after(now, rule.settings.rule.idle_timeout), now);
  flow.is_connecting = false;
  flow.last_used = now;
  rule.relaying.splice(rule.relaying.end(), from, flow.place);
}

void Relay::reset(Flow& flow) noexcept {
  flow.connection->reset();
  close(flow);
}

void Relay::close(Flow& flow) noexcept {
  RuleState& rule = *flow.listener->rule;
  admission_->remove(flow.source);
  --rule.stats.flows;
  (flow.is_connecting ? rule.connecting : rule.relaying).erase(flow.place);
}

/// Where one flow's bytes go through.  The more are ready the less each may move.
Bytes Relay::share_of_round() noexcept {
  const size_t served = std::max(++served_, served_before_);
  return {scratch_.get(), std::clamp(kRoundBytes / served, kLeastAtOnce, kMostAtOnce)};
}

// Time.

void Relay::on_timer() {
  armed_ = kNever;
  const Time now = read_clock().mono;
  if (resume_at_ <= now) resume();
  expire(now);
  arm_by(next_deadline(), now);
}

void Relay::expire(Time now) noexcept {
  unsigned left = kMostExpired;
  for (const auto& rule : rules_) {
    const RelayRule& settings = rule->settings;
    for (Flows& flows = rule->connecting; !flows.empty(); --left) {
      if (left == 0 || after(flows.front().last_used, settings.connect_timeout) > now) break;
      rule->stats.drops.count(Drop::kServiceTimeout);
      reset(flows.front());
    }
    for (Flows& flows = rule->relaying; !flows.empty(); --left) {
      if (left == 0 || after(flows.front().last_used, settings.rule.idle_timeout) > now) break;
      reset(flows.front());
    }
  }
}

Time Relay::next_deadline() const noexcept {
  Time earliest = resume_at_;
  for (const auto& rule : rules_) {
    const RelayRule& settings = rule->settings;
    if (!rule->connecting.empty()) {
      earliest = std::min(earliest, after(rule->connecting.front().last_used, settings.connect_timeout));
    }
    if (!rule->relaying.empty()) {
      earliest = std::min(earliest, after(rule->relaying.front().last_used, settings.rule.idle_timeout));
    }
  }
  return earliest;
}

/// The timer may be early: it looks again.
void Relay::arm_by(Time deadline, Time now) noexcept {
  if (deadline >= armed_) return;
  armed_ = deadline;
  // Rounded up, and not zero: see Loop::arm_timer().
  const auto delay = std::chrono::ceil<milliseconds>(std::max(deadline - now, Duration(1)));
  uv_update_time(loop_.raw());
  uv_timer_start(
      &handles_->timer, [](uv_timer_t* timer) { static_cast<Handles*>(timer->data)->relay->on_timer(); },
      static_cast<uint64_t>(delay.count()), 0);
}

}  // namespace adit::daemon
