// TCP forwards: connections that clients make to public addresses, each relayed to a service behind the tunnel.
//
// How it works.  A client's connection is accepted, judged, and answered by one of our own to the service, from the
// gateway's tunnel address: an ordinary socket of the kernel's, whose packets go through the tun.  A client that may
// not connect, or whose service does not answer, is reset, and counted.  Everything happens on the loop; a round of it
// moves a bounded number of bytes and accepts a bounded number of clients, so that packets and timers do not wait for
// them.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "config/config.h"
#include "daemon/relay_connection.h"
#include "forward/admission.h"

namespace adit::daemon {

struct RelayRule {
  forward::Rule rule;  // its flows are connections; without a byte either way they live for idle_timeout
  Duration connect_timeout = seconds(10);
  config::ProxyProtocol proxy_protocol = config::ProxyProtocol::kNone;
};

struct RelaySettings {
  std::vector<RelayRule> rules;
  std::optional<Ip> our_v4;  // the gateway's tunnel addresses: what services see as source
  std::optional<Ip> our_v6;
  std::string interface;  // the tunnel's, by which services are reached and by no other way; "": by any
  uint64_t seed = 0;      // as forward::Settings'
};

class Relay {
 public:
  /// Listens.  Throws AdvisedError "bind tcp ADDRESS: reason (advice)"; std::bad_alloc.
  Relay(Loop& loop, const RelaySettings& settings);
  ~Relay();  // resets every connection
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Other rules from now on.  A connection stays if its listener does, with the same service, and then is its new
  /// rule's, limits and all; the others are reset.  Rules of the same name go on counting.  Throws as the constructor
  /// does, and then nothing has changed.
  void reconfigure(const RelaySettings& settings);

  /// By the order of the rules.  No packets are counted: the kernel has them.
  [[nodiscard]] std::vector<forward::RuleStats> stats() const;

  /// Bytes of memory that one connection takes while nothing waits in it, without the kernel's.
  static size_t bytes_per_connection() noexcept;

 private:
  struct Flow;
  struct RuleState;
  struct ListenerState;
  struct Handles;  // libuv's timer and check
  struct CloseHandles {
    void operator()(Handles* handles) const noexcept;
  };
  using Flows = std::list<Flow>;
  using Rules = std::vector<std::unique_ptr<RuleState>>;
  using Listeners = std::vector<std::unique_ptr<ListenerState>>;

  // Listening (relay_listen.cc).
  void follow(const RelaySettings& settings, std::vector<Fd> opened, forward::Admission admission) noexcept;
  [[nodiscard]] std::vector<Fd> open_new(const RelaySettings& settings);
  [[nodiscard]] Listeners::iterator find_listener(const Endpoint& listen);
  [[nodiscard]] Rules make_rules(const RelaySettings& settings);
  [[nodiscard]] Listeners make_listeners(const Rules& rules, std::vector<Fd> opened);
  void take_over(Rules rules, Listeners listeners);
  void accept_from(ListenerState& listener);
  [[nodiscard]] bool may_accept_on(ListenerState& listener, int error);
  [[nodiscard]] bool refuse_with_spare(ListenerState& listener);
  void pause(ListenerState& listener);
  void resume();

  // Connections.
  void open(ListenerState& listener, Accepted accepted);
  [[nodiscard]] Drop begin(ListenerState& listener, Accepted& accepted, Time now);
  void serve(Flow& flow, RelayConnection::Side side, TcpWatch::Ready ready);
  void refresh(Flow& flow, Time now) noexcept;
  void reset(Flow& flow) noexcept;
  void close(Flow& flow) noexcept;
  [[nodiscard]] Bytes share_of_round() noexcept;

  // Time.
  void on_timer();
  void expire(Time now) noexcept;
  void arm_by(Time deadline, Time now) noexcept;
  [[nodiscard]] Time next_deadline() const noexcept;

  Loop& loop_;
  std::optional<Ip> our_v4_;
  std::optional<Ip> our_v6_;
  std::string interface_;
  std::optional<forward::Admission> admission_;
  Rules rules_;  // in the settings' order
  Listeners listeners_;
  Time armed_ = kNever;
  Time resume_at_ = kNever;  // when paused listeners go on
  const size_t descriptor_limit_;
  Fd spare_;  // given up for a moment to refuse a client when there is no other descriptor
  std::unique_ptr<uint8_t[]> scratch_;
  size_t served_ = 0;         // in this round of the loop
  size_t served_before_ = 0;  // in the one before
  std::unique_ptr<Handles, CloseHandles> handles_;
};

}  // namespace adit::daemon
