// The gateway: owns everything, and runs all of it that is not a packet's way, which is the Workers'.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/core.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/relay.h"
#include "daemon/resolver.h"
#include "daemon/route_follower.h"
#include "daemon/saved_state.h"
#include "daemon/status_server.h"
#include "daemon/uapi.h"
#include "daemon/worker.h"
#include "net/interface_watch.h"

namespace adit::daemon {

class Gateway : public UapiTarget {
 public:
  /// Opens and configures everything, so that it can be started.  Throws what config, net and tunnel throw; nothing is
  /// left behind then.
  Gateway(const config::Config& config, Loop& loop);
  /// A bare WireGuard interface: no key, no peers, and its tunnel is up when the tun is, which others configure.
  /// `tun`: its queues, at least one, best as many as wanted_workers().
  Gateway(std::vector<Tun> tun, Loop& loop);
  ~Gateway() override;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// From here on there are threads, and packets are read.  To be called once, before the loop runs.  `before`: from
  /// where a gateway has stopped.  Throws std::system_error.
  void start(std::optional<SavedState> before = {});

  /// Whether the tun device went away, which ends the gateway.
  [[nodiscard]] bool lost_tun() const noexcept { return lost_tun_; }
  /// 0: not chosen yet.
  [[nodiscard]] uint16_t listen_port() const noexcept { return config_.interface.listen_port; }

  /// Becomes what `wanted` says.  What the two have in common is not touched: sessions, flows and sockets go on. Throws
  /// std::exception with a text for an administrator, and then nothing has changed.
  void reload(config::Config wanted);
  /// From where reload() without a configuration, which others ask for, takes one, and who is told of it, which
  /// outlives this.
  void reload_from(std::filesystem::path file, const Notifier& told) {
    file_ = std::move(file);
    told_ = &told;
  }
  /// "udp port 342, 1 peer, 2 forwards"
  [[nodiscard]] std::string summary() const;

  /// What another gateway can go on from.
  [[nodiscard]] SavedState save() const;
  /// How many flows of the gateway before go on.
  [[nodiscard]] size_t flows_restored() const noexcept { return flows_restored_; }

  /// A line for the log: encryption, offloads and threads.  Louder where the kernel has not all that was wanted.
  void log_means() const;

  // What `wg` asks and sets while the gateway runs (gateway_uapi.cc).
  [[nodiscard]] DeviceStatus device() const override;
  [[nodiscard]] std::string show() const override;
  [[nodiscard]] ReloadResult reload() override;
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
  /// As many inner packets may be under way in each worker and direction, and as many wait, of up to this size.
  Gateway(const config::Config& config, Loop& loop, size_t slots, size_t largest_inner);

  // Start-up.
  void open_tun();
  void open_public_sockets();
  void add_peers();
  void watch_tun();
  void begin();
  void watch_clients();

  // The workers (gateway_interface.cc).
  void start_threads();
  void stop_threads() noexcept;  // without the mutex, for which one may wait

  // After a restart (gateway_restart.cc).
  void restore_flows(SavedState& before);
  void restore_peers(const SavedState& before);

  // Another configuration (gateway_reload.cc).
  using TunnelSockets = std::vector<std::vector<UdpSocket>>;  // as Ports has them
  using StatusServers = std::vector<std::unique_ptr<StatusServer>>;
  struct NewPorts {
    std::vector<std::optional<UdpSocket>> clients;  // by ListenerId; none for those that are there
    TunnelSockets peers;                            // none: they stay
    StatusServers status;                           // by the configuration's order; none for those that are there
  };
  [[nodiscard]] std::vector<std::optional<UdpSocket>> bind_new_listeners(const config::Config& wanted) const;
  void change_kernel(const config::Config& wanted);
  void reconfigure_relay(const config::Config& wanted);
  [[nodiscard]] ReloadResult read_anew();
  void take_over(config::Config wanted, NewPorts ports, forward::Forwarder forwarder) noexcept;
  void replace_listeners(const config::Config& wanted, std::vector<std::optional<UdpSocket>> added);

  // What others may see of it (gateway_status.cc).
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] StatusServers start_new_status_servers(const config::Config& wanted);
  void replace_status_servers(StatusServers added);

  // The interface's state (gateway_interface.cc).
  void on_interface_change();
  void follow_mtu(uint16_t mtu);
  void lengthen_queue();
  void fit_super_packets();
  void come_up();
  void go_down();
  [[nodiscard]] TunnelSockets bind_tunnel_port(uint16_t port, uint32_t mark) const;
  void replace_tunnel_sockets(TunnelSockets sockets);
  void close_tunnel_sockets();
  void lose_tun();

  // What the loop does itself.
  using Lock = std::unique_lock<std::mutex>;
  void on_timer();
  void on_news();
  void flush(Lock held);
  void handle(const tunnel::Event& event, Time now);
  struct FullnessNews {
    std::string rule;
    bool is_full;
    uint32_t flows;
  };
  [[nodiscard]] std::vector<FullnessNews> take_fullness_news();
  static void tell(const FullnessNews& news);

  config::Config config_;
  std::optional<std::filesystem::path> file_;
  const Notifier* told_ = nullptr;  // there is one if there is a file
  Loop& loop_;
  const Offloads offloads_;
  const size_t threads_;  // for traffic
  PacketPool pool_;       // the tunnel's; before everything that holds packets
  mutable Core core_;
  Ports ports_;
  std::optional<InterfaceWatch> interface_watch_;  // of the tun
  bool interface_is_up_ = true;
  Resolver resolver_;
  RouteFollower route_follower_;
  bool is_started_ = false;
  bool lost_tun_ = false;
  size_t flows_restored_ = 0;
  tunnel::Outgoing to_peers_;   // of what the loop does
  std::optional<Relay> relay_;  // none without tcp forwards
  std::vector<std::unique_ptr<Worker>> workers_;
  const WallTime started_;
  StatusServers status_servers_;
};

}  // namespace adit::daemon
