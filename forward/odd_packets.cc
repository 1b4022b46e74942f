// What comes out of the tunnel and is no whole UDP packet: fragments, and errors about what was sent.

#include <algorithm>

#include "forward/forwarder.h"
#include "forward/forwarder_state.h"
#include "net/fragment.h"

namespace adit::forward {
namespace {

/// RFC 1191 6.3, RFC 8201 4: after so long the way may have changed, and a larger packet is tried.
constexpr Duration kPathMtuLife = std::chrono::minutes(10);
/// Smaller ones are not believed to the letter: fragments of a few bytes would multiply what is sent.
constexpr uint32_t kSmallestBelieved = 552;

}  // namespace

/// kNotOurs: no fragment that concerns us, or a whole packet now.  Of a datagram only the first fragment has ports, so
/// all UDP that services' hosts send us in fragments is put together; the kernel takes it whole where it is the
/// kernel's.
Release Forwarder::put_together(Packet& packet, Time now) noexcept {
  const std::optional<FragmentView> fragment = fragment_view(packet.bytes());
  if (!fragment || fragment->protocol != kProtocolUdp) return Release::kNotOurs;
  if (!std::ranges::binary_search(services_, fragment->source)) return Release::kNotOurs;
  const Ip& to = fragment->destination;
  if (!keeps_sources_ && to != our_v4_ && to != our_v6_) return Release::kNotOurs;  // it only passes through
  switch (reassembler_->take(packet, now, drops_)) {
    case Taken::kNotAFragment:
    case Taken::kWhole:
      return Release::kNotOurs;
    case Taken::kKept:
      return Release::kTaken;
    case Taken::kDropped:
      return Release::kDropped;
  }
  return Release::kNotOurs;
}

/// A flow is not ended by an error, which anybody behind the peer can make up: what comes of it is told and tried anew.
Release Forwarder::hear_error(const IcmpError& error, Time now) noexcept {
  const FlowIndex flow = flows_->find(TunnelSide{.ours = error.source, .remote = error.destination});
  if (flow == kNoFlow) return Release::kNotOurs;
  const Flow& about = (*flows_)[flow];
  ListenerState& listener = listeners_[about.public_side.listener];
  RuleStats& stats = rules_[about.rule].stats;
  if (error.kind != IcmpError::Kind::kTooBig) {
    ++stats.unreachable;
    stats.is_unreachable = true;
    return Release::kTaken;
  }
  const uint32_t mtu = std::max(error.mtu, kSmallestBelieved);
  if (mtu >= mtu_of(listener, now)) return Release::kTaken;
  listener.path_mtu = static_cast<uint16_t>(mtu);
  listener.path_mtu_until = after(now, kPathMtuLife);
  return Release::kTaken;
}

uint16_t Forwarder::mtu_of(const ListenerState& listener, Time now) const noexcept {
  return now < listener.path_mtu_until ? std::min(listener.path_mtu, mtu_) : mtu_;
}

}  // namespace adit::forward
