// A flow: one client's conversation with one service, seen from both sides.
#pragma once

#include <cstddef>

#include "forward/forwarder.h"
#include "forward/slab.h"

namespace adit::forward {

/// The inside half of a flow: what the service sees.
struct TunnelSide {
  Endpoint ours;    // the gateway's tunnel address and a SNAT port, or what the client has (Source::kKeep)
  Endpoint remote;  // the service
  bool operator==(const TunnelSide&) const noexcept = default;
};

/// Indices instead of pointers, here and in the tables: half the size, and they survive a move of the table.
using FlowIndex = SlotIndex;
inline constexpr FlowIndex kNoFlow = kNoSlot;
using SourceIndex = SlotIndex;

inline constexpr RuleId kMostRules = 0xffffff;

struct alignas(64) Flow {
  // All that a datagram from the client needs.
  PublicSide public_side;
  FlowIndex next_by_public;
  RuleId rule : 24;
  FlowState state : 8;
  uint16_t ordered_at;  // when it was put where it is in the order, in seconds, their low bits
  uint16_t our_port;    // of tunnel_side; the rest of that the listener knows, or it is the client's
  Time last_seen;
  // What an answer is compared with, and what neighbours in the order touch.
  TunnelSide tunnel_side;
  FlowIndex next_by_tunnel;
  FlowIndex less_recent;  // neighbours among the rule's flows of this state roughly in the order of last_seen
  FlowIndex more_recent;
  SourceIndex source;  // where the flows of this client's address are counted
};
static_assert(sizeof(Flow) == 128 && offsetof(Flow, tunnel_side) == 64, "two cache lines, one for each direction");

}  // namespace adit::forward
