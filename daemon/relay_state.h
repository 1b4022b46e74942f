// What the Relay is made of; relay.cc and relay_listen.cc alone see it.
#pragma once

#include "daemon/relay.h"

namespace adit::daemon {

/// A connection, in its rule's order of last use.
struct Relay::Flow final : RelayConnection::Owner {
  Flow(Relay& its_relay, ListenerState& its_listener, const Ip& its_client, Time now)
      : relay(its_relay), listener(&its_listener), client(its_client), last_used(now) {}
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;
  ~Flow() = default;

  void on_ready(RelayConnection::Side side, TcpWatch::Ready ready) override { relay.serve(*this, side, ready); }

  Relay& relay;
  ListenerState* listener;
  Ip client;
  Flows::iterator place;
  Time last_used;  // while it connects: when it began to
  forward::SourceIndex source = forward::kNoSlot;
  bool is_connecting = true;
  std::optional<RelayConnection> connection;
};

/// All flows of a list have the same timeout, so the order of last use is the order of expiry.
struct Relay::RuleState {
  RelayRule settings;
  forward::RuleId id;
  forward::RuleStats stats;
  Flows connecting;
  Flows relaying;
};

struct Relay::ListenerState {
  forward::Listener addresses;
  Fd socket;
  RuleState* rule;
  bool is_gone = false;
  bool is_moved = false;          // its connections come from an address that is no longer ours
  std::optional<TcpWatch> watch;  // behind the descriptor, which closes later
};

}  // namespace adit::daemon
