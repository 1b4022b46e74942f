// The gateway: owns everything, and is the one place where tunnel and forwarder meet.
//
// Each handler is one packet path: read a batch, one call down, then what came back up is delivered and flushed.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/loop.h"
#include "daemon/resolver.h"
#include "forward/forwarder.h"
#include "net/tun.h"
#include "net/udp.h"
#include "tunnel/tunnel.h"

namespace adit::daemon {

class Gateway {
 public:
  /// Opens and configures everything.  Throws what config, net and tunnel throw; nothing is left behind then.
  Gateway(const config::Config& config, Loop& loop);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // What commands and the control socket show.
  [[nodiscard]] const config::Config& config() const noexcept { return config_; }
  [[nodiscard]] const tunnel::Tunnel& tunnel() const noexcept { return tunnel_; }
  [[nodiscard]] const forward::Forwarder& forwarder() const noexcept { return forwarder_; }
  /// The public sockets, by forward::ListenerId.
  [[nodiscard]] const std::vector<UdpSocket>& listeners() const noexcept { return public_; }
  /// Whether the tun device went away, which ends the gateway.
  [[nodiscard]] bool lost_tun() const noexcept { return lost_tun_; }
  [[nodiscard]] uint16_t listen_port() const noexcept { return udp_.front().local().port; }
  /// Every packet dropped for any reason, here and below.
  [[nodiscard]] DropCounters drops() const noexcept;

 private:
  // Start-up.
  void open_tun();
  void open_tunnel_sockets();
  void open_public_sockets();
  void add_peers(Now now);
  void watch();

  // The four packet paths.
  void on_tun_readable();
  void on_udp_readable(UdpSocket& socket);
  void on_public_readable(forward::ListenerId listener);
  void on_timer();

  void deliver(Now now);
  void flush(Now now);
  void write_to_peers();
  void handle_events(Now now);
  void handle_event(const tunnel::Event& event, Now now);
  void watch_flow_tables();

  config::Config config_;
  Loop& loop_;
  PacketPool pool_;  // before everything that holds packets
  DropCounters drops_;
  std::vector<Tun> tun_;           // none or one
  std::vector<UdpSocket> udp_;     // the tunnel's, one per IP version
  std::vector<UdpSocket> public_;  // the forwards', by ListenerId
  tunnel::Tunnel tunnel_;
  forward::Forwarder forwarder_;
  Resolver resolver_;
  bool lost_tun_ = false;
  std::vector<bool> table_was_full_;  // by forward::RuleId

  // Batches under way, kept between wake-ups for their storage.
  PacketBatch inner_;   // inner packets, from tun or for it
  Datagrams in_;        // as read
  Datagrams to_peers_;  // tunnel datagrams to send
  PacketBatch to_tun_;
  std::vector<Datagrams> to_public_;  // by ListenerId
};

}  // namespace adit::daemon
