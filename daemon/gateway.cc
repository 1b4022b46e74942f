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

}  // namespace

// The four packet paths.

void Gateway::on_tun_readable() {
  const Now now = read_clock();
  if (!tun_.front().read(pool_, kBatchSize, inner_, drops_)) {
    spdlog::error("{} is gone", tun_.front().name());
    lost_tun_ = true;
    return loop_.stop();
  }
  tunnel_.encapsulate(inner_, now, to_peers_);
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
  tunnel_.encapsulate(inner_, now, to_peers_);
  flush(now);
}

void Gateway::on_timer() {
  const Now now = read_clock();
  tunnel_.tick(now, to_peers_);
  forwarder_.expire(now.mono);
  resolver_.tick(now.mono);
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
        if (!tun_.empty()) to_tun_.push_back(std::move(packet));
        else drops_.count(Drop::kNoTun);
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
  const Time deadline =
      std::min({tunnel_.next_deadline(), forwarder_.next_deadline(), resolver_.next_deadline()});
  loop_.arm_timer(deadline, now.mono);
}

/// Each run of datagrams of one IP version in one go.
void Gateway::write_to_peers() {
  auto begin = to_peers_.begin();
  while (begin != to_peers_.end()) {
    const bool v4 = begin->remote.ip.is_v4();
    const auto end = std::find_if(begin, to_peers_.end(),
                                  [v4](const Datagram& datagram) { return datagram.remote.ip.is_v4() != v4; });
    const auto socket = std::ranges::find_if(udp_, [v4](const UdpSocket& each) { return each.local().ip.is_v4() == v4; });
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

Gateway::Gateway(const config::Config& config, Loop& loop)
    : config_(config),
      loop_(loop),
      pool_(kPoolSlots, std::max<size_t>(config.interface.mtu, 1500) + tunnel::kDataOverhead + tunnel::kPaddingMultiple),
      tunnel_(config.interface.private_key, config.interface.mtu, pool_),
      forwarder_([&] {
        const EphemeralPorts kernels = ephemeral_ports();
        return forward_settings(config, forward::snat_range_beside({kernels.first, kernels.last}), crypto::random_u64());
      }()),
      resolver_(loop, [this](const crypto::PublicKey& peer, const std::optional<Endpoint>& endpoint) {
        const Now now = read_clock();
        if (endpoint) tunnel_.set_endpoint(peer, *endpoint, now);
        flush(now);
      }),
      table_was_full_(config.forwards.size()) {
  config_.interface.private_key.clear();
  open_tunnel_sockets();
  open_public_sockets();
  if (config_.interface.tun) open_tun();
  watch();
  add_peers(read_clock());
}

Gateway::~Gateway() {
  for (const UdpSocket& socket : udp_) loop_.unwatch(socket.fd());
  for (const UdpSocket& socket : public_) loop_.unwatch(socket.fd());
  for (const Tun& tun : tun_) loop_.unwatch(tun.fd());
}

void Gateway::open_tun() {
  const config::Interface& wanted = config_.interface;
  Tun& tun = tun_.emplace_back(Tun::create(wanted.name));
  set_no_automatic_addresses(tun.name());
  set_mtu(tun.name(), wanted.mtu);
  for (const config::InterfaceAddress& address : wanted.addresses) {
    add_address(tun.name(), address.ip, address.prefix_length);
  }
  set_up(tun.name());
  if (!wanted.add_routes) return;
  for (const Prefix& route : routes(config_)) add_route(tun.name(), route, wanted.table);
}

/// One socket for each IP version on one port.  A machine without IPv6 (or IPv4) still has a tunnel.
void Gateway::open_tunnel_sockets() {
  const uint16_t port = config_.interface.listen_port;
  udp_ = bind_tunnel_sockets(port);
  for (UdpSocket& socket : udp_) {
    if (config_.interface.fwmark != 0) socket.set_mark(config_.interface.fwmark);
  }
}

void Gateway::open_public_sockets() {
  for (const config::Forward& rule : config_.forwards) {
    for (const Endpoint& listen : rule.listen) public_.push_back(UdpSocket::bind(listen));
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

void Gateway::watch() {
  for (UdpSocket& socket : udp_) {
    loop_.on_readable(socket.fd(), [this, &socket] { on_udp_readable(socket); });
  }
  for (forward::ListenerId listener = 0; listener < public_.size(); ++listener) {
    loop_.on_readable(public_[listener].fd(), [this, listener] { on_public_readable(listener); });
  }
  for (const Tun& tun : tun_) loop_.on_readable(tun.fd(), [this] { on_tun_readable(); });
  loop_.on_timer([this] { on_timer(); });
}

// What happened, for the log.

void Gateway::handle_events(Now now) {
  for (const tunnel::Event& event : tunnel_.take_events()) handle_event(event, now);
  watch_flow_tables();
}

void Gateway::handle_event(const tunnel::Event& event, Now now) {
  const auto peer = std::ranges::find(config_.peers, event.peer, &config::Peer::public_key);
  const std::string name = peer->name.empty() ? event.peer.to_base64() : peer->name;
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
