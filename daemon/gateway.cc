#include "daemon/gateway.h"

#include <algorithm>

#include "crypto/aead.h"
#include "daemon/interface_setup.h"
#include "daemon/log.h"
#include "daemon/peer_changes.h"
#include "daemon/setup.h"
#include "daemon/tcp_socket.h"
#include "net/clock.h"

namespace adit::daemon {
namespace {

/// Enough for some thirty peers that each have a full queue waiting for a handshake; memory is used when it is touched.
constexpr size_t kPoolSlots = 4096;
/// For interfaces whose MTU others change: the largest IP packet there is.
constexpr size_t kLargestInner = 65535;
constexpr size_t kLargeSlots = 2048;

config::Config bare_config(const std::vector<Tun>& tun) {
  config::Config config;
  config.interface.name = tun.front().name();
  return config;
}

}  // namespace

// Start-up.

Gateway::Gateway(const config::Config& config, Loop& loop, size_t slots, size_t largest_inner)
    : config_(config),
      loop_(loop),
      offloads_(wanted_offloads()),
      threads_(wanted_threads()),
      pool_(slots, with_overhead(largest_inner), PacketPool::Use::kShared),
      core_(config.interface.private_key, config.interface.mtu, pool_, forward_settings(config)),
      resolver_(loop,
                [this](const crypto::PublicKey& peer, const std::optional<Endpoint>& endpoint) {
                  Lock lock(core_.mutex);
                  if (endpoint) core_.tunnel.set_endpoint(peer, *endpoint, read_clock());
                  flush(std::move(lock));
                }),
      route_follower_(loop, core_.mutex, core_.tunnel, config_.interface, [this] { flush(Lock(core_.mutex)); }),
      started_(read_clock().wall) {
  core_.wake = [this] { loop_.wake(); };
  loop_.on_wake([this] { on_news(); });
  loop_.on_timer([this] { on_timer(); });
}

Gateway::Gateway(const config::Config& config, Loop& loop)
    : Gateway(config, loop, kPoolSlots, std::max<size_t>(config.interface.mtu, 1500)) {
  open_public_sockets();
  begin();
  replace_tunnel_sockets(bind_tunnel_port(config_.interface.listen_port, config_.interface.fwmark));
  if (config_.interface.tun) open_tun();
}

Gateway::Gateway(std::vector<Tun> tun, Loop& loop) : Gateway(bare_config(tun), loop, kLargeSlots, kLargestInner) {
  ports_.tun = std::move(tun);
  begin();
  go_down();
  watch_tun();
}

/// Also runs when one of the constructors above throws.
Gateway::~Gateway() {
  stop_threads();
  close_tunnel_sockets();
  for (const auto& worker : workers_) {
    worker->unwatch_clients();
    worker->unwatch_tun();
  }
  if (!interface_watch_) return;
  for (const int fd : interface_watch_->fds()) loop_.unwatch(fd);
}

void Gateway::open_public_sockets() {
  raise_descriptor_limit();  // the usual soft limit is 1024, and ranges of ports may need more
  for (const config::Listener& each : udp_listeners(config_)) {
    ports_.clients.push_back(UdpSocket::bind(each.listen, offloads_));
  }
  reconfigure_relay(config_);
}

void Gateway::start(std::optional<SavedState> before) {
  if (before) restore_flows(*before);
  add_peers();
  if (before) restore_peers(*before);
  is_started_ = true;
  start_threads();
  replace_status_servers(start_new_status_servers(config_));
}

void Gateway::begin() {
  Loop* everything = threads_ == 0 ? &loop_ : nullptr;
  for (size_t index = 0; index < workers_of(threads_); ++index) {
    workers_.push_back(
        std::make_unique<Worker>(core_, ports_, index, pool_.slots(), pool_.largest_packet(), everything));
  }
  watch_clients();
}

void Gateway::watch_clients() {
  for (forward::ListenerId listener = 0; listener < ports_.clients.size(); ++listener) {
    workers_[listener % workers_.size()]->watch_clients(listener);
  }
}

void Gateway::open_tun() {
  stop_threads();
  ports_.tun = Tun::create_queues(config_.interface.name, workers_.size(), offloads_);
  set_up_interface(config_);
  watch_tun();
}

void Gateway::watch_tun() {
  stop_threads();
  for (const auto& worker : workers_) worker->watch_tun();
  start_threads();
  interface_watch_.emplace(ports_.tun.front().fd());
  for (const int watched : interface_watch_->fds()) loop_.on_readable(watched, [this] { on_interface_change(); });
  lengthen_queue();
  fit_super_packets();
  on_interface_change();
}

void Gateway::add_peers() {
  Lock lock(core_.mutex);
  const Now now = read_clock();
  for (const config::Peer& peer : config_.peers) daemon::add_peer(peer, core_.tunnel, resolver_, now);
  config::forget_keys(config_);  // the tunnel has them
  flush(std::move(lock));
}

// What the loop does itself.

void Gateway::on_timer() {
  route_follower_.tick(read_clock().mono);
  Lock lock(core_.mutex);
  const Now now = read_clock();
  core_.armed = kNever;
  core_.tunnel.tick(now, to_peers_);
  core_.forwarder.expire(now.mono);
  resolver_.tick(now.mono);
  flush(std::move(lock));
}

void Gateway::on_news() {
  Lock lock(core_.mutex);
  const bool lost_tun = core_.lost_tun;
  flush(std::move(lock));
  if (lost_tun) lose_tun();
}

/// Everything that is to leave leaves, and what happened is told; then the loop sleeps until the next deadline.
void Gateway::flush(Lock held) {
  const std::vector<tunnel::Event> events = core_.tunnel.take_events();
  const std::vector<FullnessNews> fullness = take_fullness_news();
  held.unlock();

  DropCounters counted;
  ports_.write_to_peers(0, to_peers_.sealed(), counted);
  const Time now = read_clock().mono;
  for (const tunnel::Event& event : events) handle(event, now);
  for (const FullnessNews& news : fullness) tell(news);

  held.lock();
  core_.drops += counted;
  core_.armed = std::min({core_.tunnel.next_deadline(), core_.forwarder.next_deadline(), resolver_.next_deadline(),
                          route_follower_.next_deadline()});
  loop_.arm_timer(core_.armed, now);
}

// What happened, for the log.

void Gateway::log_means() const {
  const Offloads& used = ports_.tun.empty() ? offloads_ : ports_.tun.front().offloads();
  const size_t queues = ports_.tun.empty() ? workers_.size() : ports_.tun.size();
  const bool has_all = used == offloads_ && queues == workers_.size();
  std::string threads = threads_ == 0 ? "one thread" : std::to_string(threads_) + " threads for traffic";
  if (queues < workers_.size())
    threads += ", but the tun has " + std::to_string(queues) + " of " + std::to_string(workers_.size()) + " queues";
  log::write(has_all ? log::Level::kDebug : log::Level::kInfo, "{}: encryption by {}, offloads {}, {}",
             config_.interface.name, crypto::aead_name(), to_string(used), threads);
}

void Gateway::handle(const tunnel::Event& event, Time now) {
  const auto peer = std::ranges::find(config_.peers, event.peer, &config::Peer::public_key);
  const bool is_named = peer != config_.peers.end() && !peer->name.empty();
  const std::string name = is_named ? peer->name : event.peer.to_base64();
  const std::string where = event.endpoint ? event.endpoint->to_string() : "(no endpoint)";
  switch (event.kind) {
    case tunnel::Event::Kind::kHandshakeComplete:
      log::info("peer {}: handshake with {} complete", name, where);
      break;
    case tunnel::Event::Kind::kEndpointMoved:
      log::info("peer {}: endpoint is {}", name, where);
      break;
    case tunnel::Event::Kind::kHandshakeGivenUp:
      log::warn("peer {}: no answer from {}", name, where);
      break;
    case tunnel::Event::Kind::kHandshakeRetried:
      resolver_.look_again(event.peer, now);
      break;
  }
}

std::vector<Gateway::FullnessNews> Gateway::take_fullness_news() {
  std::vector<FullnessNews> news;
  for (const forward::Fullness& each : core_.forwarder.take_fullness()) {
    news.push_back({core_.forwarder.rule(each.rule).name, each.is_full, core_.forwarder.stats(each.rule).flows});
  }
  return news;
}

/// One line when a client first found no room, one when there is some again.
void Gateway::tell(const FullnessNews& news) {
  if (news.is_full)
    log::warn("forward {}: full ({} flows): new clients push out those not yet established, or are refused", news.rule,
              news.flows);
  else
    log::info("forward {}: has room again", news.rule);
}

}  // namespace adit::daemon
