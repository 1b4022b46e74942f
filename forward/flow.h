// A flow: one client's conversation with one service, seen from both sides.
#pragma once

#include "forward/forwarder.h"
#include "forward/slab.h"

namespace adit::forward {

/// The inside half of a flow: what the service sees.
struct TunnelSide {
  Endpoint ours;    // the gateway's tunnel address and a SNAT port
  Endpoint remote;  // the service
  bool operator==(const TunnelSide&) const noexcept = default;
};

/// Indices instead of pointers, here and in the tables: half the size, and they survive a move of the table.
using FlowIndex = SlotIndex;
inline constexpr FlowIndex kNoFlow = kNoSlot;
using SourceIndex = SlotIndex;

struct Flow {
  // What a datagram from the client touches.
  PublicSide public_side;
  FlowIndex next_by_public;
  FlowIndex next_by_tunnel;
  Time last_seen;
  // What an answer touches beside that.
  TunnelSide tunnel_side;
  FlowIndex less_recent;  // neighbours among the rule's flows in the order of last_seen
  FlowIndex more_recent;
  RuleId rule;
  SourceIndex source;  // where the flows of this client's address are counted
};
static_assert(sizeof(Flow) <= 128, "two cache lines");

}  // namespace adit::forward
