#include "daemon/gateway.h"

#include <algorithm>

#include "crypto/random.h"
#include "daemon/log.h"
#include "daemon/setup.h"
#include "daemon/tunnel_sockets.h"
#include "net/clock.h"
#include "net/ephemeral_ports.h"
#include "net/interface.h"

namespace adit::daemon {
namespace {

/// Enough for some thirty peers that each have a full queue waiting for a handshake; memory is used when it is touched.
constexpr size_t kPoolSlots = 4096;
/// For interfaces whose MTU others change: the largest IP packet there is.
constexpr size_t kLargestInner = 65535;
constexpr size_t kLargeSlots = 2048;

size_t with_overhead(size_t inner) { return inner + tunnel::kDataOverhead + tunnel::kPaddingMultiple; }

config::Config bare_config(const Tun& tun) {
  config::Config config;
  config.interface.name = tun.name();
  return config;
}

}  // namespace

// The four packet paths.

void Gateway::on_tun_readable() {
  const Now now = read_clock();
  if (!tun_.front().read(pool_, kBatchSize, inner_, drops_)) return lose_tun();
  tunnel_.encapsulate(inner_, now, to_peers_, to_tun_);
  flush(now);
}

void Gateway::on_udp_readable(UdpSocket& socket) {
  const Now now = read_clock();
  socket.read(pool_, kBatchSize, in_, drops_);
  tunnel_.decapsulate(in_, now, inner_, to_peers_);
  deliver(now);
  flush(now);
}

void Gateway::on_public_readable(forward::ListenerId listener) {
  const Now now = read_clock();
  public_[listener].read(pool_, kBatchSize, in_, drops_);
  for (Datagram& datagram : in_) {
    const forward::PublicSide from{listener, datagram.remote, datagram.local.ip};
    if (forwarder_.from_public(from, datagram.packet, now.mono) != Drop::kNone) continue;
    inner_.push_back(std::move(datagram.packet));
  }
  in_.clear();
  tunnel_.encapsulate(inner_, now, to_peers_, unreachable_);
  unreachable_.clear();
  flush(now);
}

void Gateway::on_timer() {
  const Now now = read_clock();
  tunnel_.tick(now, to_peers_);
  forwarder_.expire(now.mono);
  resolver_.tick(now.mono);
  route_follower_.tick(now.mono);
  flush(now);
}

/// What came out of the tunnel goes to a client if a flow knows it, else to the kernel.
void Gateway::deliver(Now now) {
  for (Packet& packet : inner_) {
    forward::PublicSide to;
    switch (forwarder_.from_tunnel(packet, now.mono, to)) {
      case forward::Release::kToPublic:
        to_public_[to.listener].push_back({std::move(packet), to.client, Local{to.local}});
        break;
      case forward::Release::kNotOurs:
        if (!tun_.empty())
          to_tun_.push_back(std::move(packet));
        else
          drops_.count(Drop::kNoTun);
        break;
      case forward::Release::kDropped:
        break;
    }
  }
  inner_.clear();
}

/// Everything that is to leave leaves; then the loop sleeps until the next deadline.
void Gateway::flush(Now now) {
  write_to_peers();
  if (!to_tun_.empty()) tun_.front().write(to_tun_, drops_);
  for (size_t listener = 0; listener < public_.size(); ++listener) {
    if (to_public_[listener].empty()) continue;
    public_[listener].write(to_public_[listener], drops_);
    to_public_[listener].clear();
  }
  handle_events(now);
  const Time deadline = std::min({tunnel_.next_deadline(), forwarder_.next_deadline(), resolver_.next_deadline(),
                                  route_follower_.next_deadline()});
  loop_.arm_timer(deadline, now.mono);
}

/// Each run of datagrams of one IP version in one go.
void Gateway::write_to_peers() {
  auto begin = to_peers_.begin();
  while (begin != to_peers_.end()) {
    const bool v4 = begin->remote.ip.is_v4();
    const auto end = std::find_if(begin, to_peers_.end(),
                                  [v4](const Datagram& datagram) { return datagram.remote.ip.is_v4() != v4; });
    const auto socket =
        std::ranges::find_if(udp_, [v4](const UdpSocket& each) { return each.local().ip.is_v4() == v4; });
    if (socket != udp_.end()) {
      socket->write({begin, end}, drops_);
    } else {
      drops_.count(Drop::kSocketError, static_cast<uint64_t>(end - begin));
    }
    begin = end;
  }
  to_peers_.clear();
}

// Start-up.

Gateway::Gateway(const config::Config& config, Loop& loop, size_t pool_slots, size_t largest_packet)
    : config_(config),
      loop_(loop),
      offloads_(wanted_offloads()),
      pool_(pool_slots, with_overhead(largest_packet)),
      tunnel_(config.interface.private_key, config.interface.mtu, pool_),
      forwarder_([&] {
        const EphemeralPorts kernels = ephemeral_ports();
        return forward_settings(config, forward::snat_range_beside({kernels.first, kernels.last}),
                                crypto::random_u64());
      }()),
      resolver_(loop,
                [this](const crypto::PublicKey& peer, const std::optional<Endpoint>& endpoint) {
                  const Now now = read_clock();
                  if (endpoint) tunnel_.set_endpoint(peer, *endpoint, now);
                  flush(now);
                }),
      route_follower_(loop, tunnel_, config_.interface, [this] { flush(read_clock()); }),
      table_was_full_(config.forwards.size()) {
  config_.interface.private_key.clear();
  loop_.on_timer([this] { on_timer(); });
}

Gateway::Gateway(const config::Config& config, Loop& loop)
    : Gateway(config, loop, kPoolSlots, std::max<size_t>(config.interface.mtu, 1500)) {
  open_tunnel_sockets(config_.interface.listen_port);
  open_public_sockets();
  if (config_.interface.tun) open_tun();
  add_peers(read_clock());
}

Gateway::Gateway(Tun tun, Loop& loop) : Gateway(bare_config(tun), loop, kLargeSlots, kLargestInner) {
  tun_.push_back(std::move(tun));
  go_down();
  watch_tun();
}

/// Also runs when one of the constructors above throws.
Gateway::~Gateway() {
  close_tunnel_sockets();
  for (const UdpSocket& socket : public_) loop_.unwatch(socket.fd());
  for (const Tun& tun : tun_) loop_.unwatch(tun.fd());
  if (!interface_watch_) return;
  for (const int fd : interface_watch_->fds()) loop_.unwatch(fd);
}

void Gateway::open_tun() {
  const config::Interface& wanted = config_.interface;
  Tun& tun = tun_.emplace_back(Tun::create(wanted.name, offloads_));
  set_no_automatic_addresses(tun.name());
  set_mtu(tun.name(), wanted.mtu);
  for (const config::InterfaceAddress& address : wanted.addresses) {
    add_address(tun.name(), address.ip, address.prefix_length);
  }
  set_up(tun.name());
  watch_tun();
  if (!wanted.add_routes) return;
  for (const Prefix& route : routes(config_)) add_route(tun.name(), route, wanted.table);
}

void Gateway::open_public_sockets() {
  for (const config::Forward& rule : config_.forwards) {
    for (const Endpoint& listen : rule.listen) public_.push_back(UdpSocket::bind(listen, offloads_));
  }
  for (forward::ListenerId listener = 0; listener < public_.size(); ++listener) {
    loop_.on_readable(public_[listener].fd(), [this, listener] { on_public_readable(listener); });
  }
  to_public_.resize(public_.size());
}

void Gateway::add_peers(Now now) {
  for (config::Peer& peer : config_.peers) {
    const tunnel::PeerSettings settings = tunnel_peer(peer);
    tunnel_.add_peer(settings, now);
    if (peer.endpoint && !settings.endpoint) resolver_.add(peer.public_key, *peer.endpoint, now.mono);
    peer.preshared_key.clear();
  }
  flush(now);
}

void Gateway::watch_tun() {
  loop_.on_readable(tun_.front().fd(), [this] { on_tun_readable(); });
  interface_watch_.emplace(tun_.front().fd());
  for (const int fd : interface_watch_->fds()) loop_.on_readable(fd, [this] { on_interface_change(); });
  fit_super_packets();
  on_interface_change();
}

// The interface's state: the tunnel is up while the interface is.

void Gateway::on_interface_change() {
  const std::optional<InterfaceState> state = interface_watch_->look();
  if (!state) return lose_tun();
  if (state->mtu && *state->mtu != config_.interface.mtu) {
    config_.interface.mtu = static_cast<uint16_t>(std::min<uint32_t>(*state->mtu, kLargestInner));
    tunnel_.set_mtu(config_.interface.mtu);
    fit_super_packets();
    spdlog::debug("{}: MTU {}", config_.interface.name, config_.interface.mtu);
  }
  if (state->up == interface_is_up_) return;
  interface_is_up_ = state->up;
  spdlog::debug("{} is {}", config_.interface.name, state->up ? "up" : "down");
  if (state->up) return come_up(read_clock());
  go_down();
}

/// One super-packet of the tun becomes one train to the peer: a little more would cost a train of two or three each
/// time.
void Gateway::fit_super_packets() {
  if (!tun_.front().offloads().tso) return;
  try {
    set_largest_super_packet(config_.interface.name, largest_super_packet(config_.interface.mtu));
  } catch (const std::system_error& error) {
    spdlog::debug("{}",
                  error.what());  // in another namespace, or not the interface's administrator: it costs speed only
  }
}

/// Without its port the tunnel stays down, until it is given another.
void Gateway::come_up(Now now) {
  try {
    open_tunnel_sockets(config_.interface.listen_port);
  } catch (const std::system_error& error) {
    spdlog::error("{} stays down: {}", config_.interface.name, error.what());
    return;
  }
  tunnel_.set_up(now, to_peers_);
  flush(now);
}

void Gateway::go_down() {
  interface_is_up_ = false;
  tunnel_.set_down();
  close_tunnel_sockets();
}

/// One socket for each IP version on one port.  A machine without IPv6 (or IPv4) still has a tunnel.  Throws
/// std::system_error, and the sockets that there are stay.
void Gateway::open_tunnel_sockets(uint16_t port) {
  std::vector<UdpSocket> sockets = bind_tunnel_sockets(port, offloads_);
  for (UdpSocket& socket : sockets) socket.set_mark(config_.interface.fwmark);
  close_tunnel_sockets();
  udp_ = std::move(sockets);
  config_.interface.listen_port = udp_.front().local().port;
  for (UdpSocket& socket : udp_) {
    loop_.on_readable(socket.fd(), [this, &socket] { on_udp_readable(socket); });
  }
}

void Gateway::close_tunnel_sockets() {
  for (const UdpSocket& socket : udp_) loop_.unwatch(socket.fd());
  udp_.clear();
}

void Gateway::lose_tun() {
  if (lost_tun_) return;
  spdlog::info("{} is gone", config_.interface.name);
  lost_tun_ = true;
  loop_.stop();
}

// What happened, for the log.

void Gateway::handle_events(Now now) {
  for (const tunnel::Event& event : tunnel_.take_events()) handle_event(event, now);
  watch_flow_tables();
}

void Gateway::handle_event(const tunnel::Event& event, Now now) {
  const auto peer = std::ranges::find(config_.peers, event.peer, &config::Peer::public_key);
  const bool is_named = peer != config_.peers.end() && !peer->name.empty();
  const std::string name = is_named ? peer->name : event.peer.to_base64();
  const std::string where = event.endpoint ? event.endpoint->to_string() : "(no endpoint)";
  switch (event.kind) {
    case tunnel::Event::Kind::kHandshakeComplete:
      spdlog::info("peer {}: handshake with {} complete", name, where);
      break;
    case tunnel::Event::Kind::kEndpointMoved:
      spdlog::info("peer {}: endpoint is {}", name, where);
      break;
    case tunnel::Event::Kind::kHandshakeGivenUp:
      spdlog::warn("peer {}: no answer from {}", name, where);
      break;
    case tunnel::Event::Kind::kHandshakeRetried:
      resolver_.look_again(event.peer, now.mono);
      break;
  }
}

/// One line when a flow table fills, one when it has room again.
void Gateway::watch_flow_tables() {
  for (forward::RuleId id = 0; id < forwarder_.rule_count(); ++id) {
    const forward::Rule& rule = forwarder_.rule(id);
    const uint32_t flows = forwarder_.stats(id).flows;
    if (!table_was_full_[id] && flows >= rule.max_flows) {
      spdlog::warn("forward {}: flow table full ({} flows), new clients are refused", rule.name, flows);
      table_was_full_[id] = true;
    }
    if (table_was_full_[id] && flows < rule.max_flows * 3 / 4) {
      spdlog::info("forward {}: flow table has room again", rule.name);
      table_was_full_[id] = false;
    }
  }
}

DropCounters Gateway::drops() const noexcept {
  DropCounters all = drops_;
  all += tunnel_.drops();
  for (forward::RuleId id = 0; id < forwarder_.rule_count(); ++id) all += forwarder_.stats(id).drops;
  return all;
}

}  // namespace adit::daemon
