// The gateway: owns everything, and is the one place where tunnel and forwarder meet.
//
// Each handler is one packet path: read a batch, one call down, then what came back up is delivered and flushed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/loop.h"
#include "daemon/resolver.h"
#include "daemon/route_follower.h"
#include "daemon/uapi.h"
#include "forward/forwarder.h"
#include "net/interface_watch.h"
#include "net/tun.h"
#include "net/udp.h"
#include "tunnel/tunnel.h"

namespace adit::daemon {

class Gateway : public UapiTarget {
 public:
  /// Opens and configures everything.  Throws what config, net and tunnel throw; nothing is left behind then.
  Gateway(const config::Config& config, Loop& loop);
  /// A bare WireGuard interface: no key, no peers, and its tunnel is up when `tun` is, which others configure.
  Gateway(Tun tun, Loop& loop);
  ~Gateway() override;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // What commands and the control socket show.
  [[nodiscard]] const config::Config& config() const noexcept { return config_; }
  [[nodiscard]] const tunnel::Tunnel& tunnel() const noexcept { return tunnel_; }
  [[nodiscard]] const forward::Forwarder& forwarder() const noexcept { return forwarder_; }
  /// Whether the tun device went away, which ends the gateway.
  [[nodiscard]] bool lost_tun() const noexcept { return lost_tun_; }
  /// 0: not chosen yet.
  [[nodiscard]] uint16_t listen_port() const noexcept { return config_.interface.listen_port; }
  /// Every packet dropped for any reason, here and below.
  [[nodiscard]] DropCounters drops() const noexcept;

  // What `wg` asks and sets while the gateway runs (gateway_uapi.cc).
  [[nodiscard]] DeviceStatus device() const override;
  [[nodiscard]] std::string show() const override;
  [[nodiscard]] bool is_own_key(const crypto::PublicKey& key) const override;
  void set_private_key(const crypto::PrivateKey& key) override;
  [[nodiscard]] bool set_listen_port(uint16_t port) override;
  [[nodiscard]] bool set_fwmark(uint32_t mark) override;
  void remove_all_peers() override;
  [[nodiscard]] bool has_peer(const crypto::PublicKey& peer) const override;
  void add_peer(const crypto::PublicKey& peer) override;
  void remove_peer(const crypto::PublicKey& peer) override;
  void set_preshared_key(const crypto::PublicKey& peer, const crypto::PresharedKey& key) override;
  void set_endpoint(const crypto::PublicKey& peer, const Endpoint& endpoint) override;
  void set_persistent_keepalive(const crypto::PublicKey& peer, seconds interval) override;
  void disallow_all_ips(const crypto::PublicKey& peer) override;
  void allow_ip(const crypto::PublicKey& peer, const Prefix& prefix) override;
  void disallow_ip(const crypto::PublicKey& peer, const Prefix& prefix) override;
  void peer_is_set(const crypto::PublicKey& peer) override;
  void set_is_done() override;

 private:
  Gateway(const config::Config& config, Loop& loop, size_t pool_slots, size_t largest_packet);

  // Start-up.
  void open_tun();
  void open_public_sockets();
  void add_peers(Now now);
  void watch_tun();

  // The interface's state.
  void on_interface_change();
  void fit_super_packets();
  void come_up(Now now);
  void go_down();
  void open_tunnel_sockets(uint16_t port);
  void close_tunnel_sockets();
  void lose_tun();

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
  const Offloads offloads_;
  PacketPool pool_;  // before everything that holds packets
  DropCounters drops_;
  std::vector<Tun> tun_;                           // none or one
  std::optional<InterfaceWatch> interface_watch_;  // of the tun
  bool interface_is_up_ = true;
  std::vector<UdpSocket> udp_;     // the tunnel's, one per IP version; none while the interface is down
  std::vector<UdpSocket> public_;  // the forwards', by ListenerId
  tunnel::Tunnel tunnel_;
  forward::Forwarder forwarder_;
  Resolver resolver_;
  RouteFollower route_follower_;
  bool lost_tun_ = false;
  std::vector<bool> table_was_full_;  // by forward::RuleId

  // Batches under way, kept between wake-ups for their storage.
  PacketBatch inner_;   // inner packets, from tun or for it
  Datagrams in_;        // as read
  Datagrams to_peers_;  // tunnel datagrams to send
  PacketBatch to_tun_;
  PacketBatch unreachable_;           // answers to forwarded packets that no peer takes: nobody waits for them
  std::vector<Datagrams> to_public_;  // by ListenerId
};

}  // namespace adit::daemon
