#include "daemon/metrics.h"

#include <map>

#include "daemon/metrics_writer.h"
#include "daemon/status.h"

namespace adit::daemon {
namespace {

using enum MetricType;

// The whole gateway.

void write_gateway(MetricsWriter& writer, const config::Config& config, const Snapshot& snapshot,
                   std::string_view version) {
  writer.begin({kInfo, "adit_build", "", "The running program."});
  writer.sample({{"version", version}}, 1);
  writer.begin({kGauge, "process_start_time_seconds", "seconds", "When the gateway was started, as Unix time."});
  const auto started = std::chrono::duration_cast<milliseconds>(snapshot.started.time_since_epoch());
  writer.sample_milliseconds({}, static_cast<uint64_t>(started.count()));
  writer.begin({kInfo, "adit_interface", "", "The tunnel's interface and the gateway's public key."});
  const std::string key = snapshot.public_key ? snapshot.public_key->to_base64() : "";
  writer.sample({{"interface", config.interface.name}, {"public_key", key}}, 1);
  writer.begin({kGauge, "adit_interface_mtu_bytes", "bytes", "Largest packet inside the tunnel."});
  writer.sample({}, config.interface.mtu);
  writer.begin({kCounter, "adit_drops", "", "Packets and connections dropped, those of forwards among them."});
  for (size_t i = 1; i < kDropCount; ++i) {
    const auto reason = static_cast<Drop>(i);
    writer.sample({{"reason", drop_name(reason)}}, snapshot.drops[reason]);
  }
}

// Its peers.

struct PeerMetric {
  MetricFamily family;
  uint64_t (*value)(const tunnel::PeerStatus& peer);
};

constexpr PeerMetric kPeerMetrics[] = {
    {{kCounter, "adit_peer_received_bytes", "bytes", "Received from the peer, WireGuard's own bytes included."},
     [](const tunnel::PeerStatus& peer) { return peer.received_bytes; }},
    {{kCounter, "adit_peer_sent_bytes", "bytes", "Sent to the peer, WireGuard's own bytes included."},
     [](const tunnel::PeerStatus& peer) { return peer.sent_bytes; }},
    {{kGauge, "adit_peer_latest_handshake_timestamp_seconds", "seconds",
      "When a handshake with the peer was last complete, as Unix time; 0 if never."},
     [](const tunnel::PeerStatus& peer) {
       return static_cast<uint64_t>(
           std::chrono::duration_cast<seconds>(peer.last_handshake.time_since_epoch()).count());
     }},
    {{kGauge, "adit_peer_handshake_attempts", "", "Handshakes begun since the peer last answered."},
     [](const tunnel::PeerStatus& peer) { return uint64_t{peer.handshake_attempts}; }},
};

void write_peers(MetricsWriter& writer, const config::Config& config, const Snapshot& snapshot) {
  struct Names {
    std::string peer;
    std::string key;
  };
  std::map<crypto::PublicKey, std::string_view> configured;
  for (const config::Peer& peer : config.peers) configured.emplace(peer.public_key, peer.name);
  std::vector<Names> names;
  for (const tunnel::PeerStatus& peer : snapshot.peers) {
    std::string key = peer.public_key.to_base64();
    const std::string_view name = configured[peer.public_key];
    names.push_back({name.empty() ? key : std::string(name), std::move(key)});
  }
  for (const PeerMetric& metric : kPeerMetrics) {
    writer.begin(metric.family);
    for (size_t i = 0; i < names.size(); ++i) {
      writer.sample({{"peer", names[i].peer}, {"public_key", names[i].key}}, metric.value(snapshot.peers[i]));
    }
  }
}

// Its forwards.

struct ForwardView {
  const config::Forward& configured;
  const forward::RuleStats& stats;

  [[nodiscard]] bool is_udp() const noexcept { return configured.protocol == config::Protocol::kUdp; }
};

enum class For : uint8_t { kAll, kUdp };

struct ForwardMetric {
  MetricFamily family;
  For protocol;
  uint64_t (*value)(const ForwardView& forward);
};

constexpr ForwardMetric kForwardMetrics[] = {
    {{kGauge, "adit_forward_flows", "", "Flows of udp, or connections of tcp."},
     For::kAll,
     [](const ForwardView& forward) { return uint64_t{forward.stats.flows}; }},
    {{kGauge, "adit_forward_flows_limit", "", "Most flows or connections at once: max_flows."},
     For::kAll,
     [](const ForwardView& forward) { return uint64_t{forward.configured.max_flows}; }},
    {{kGauge, "adit_forward_flows_established", "", "Flows of clients that got answers and sent again."},
     For::kUdp,
     [](const ForwardView& forward) { return uint64_t{forward.stats.flows_established}; }},
    {{kGauge, "adit_forward_flows_unanswered", "", "Flows that the service has not answered."},
     For::kUdp,
     [](const ForwardView& forward) { return uint64_t{forward.stats.flows_unanswered}; }},
    {{kCounter, "adit_forward_flows_opened", "", "Flows or connections opened."},
     For::kAll,
     [](const ForwardView& forward) { return forward.stats.flows_opened; }},
    {{kCounter, "adit_forward_flows_evicted", "", "Flows pushed out by others."},
     For::kUdp,
     [](const ForwardView& forward) { return forward.stats.flows_evicted; }},
    {{kGauge, "adit_forward_service_reachable", "", "0 if the service's host last said that nobody is there, else 1."},
     For::kUdp,
     [](const ForwardView& forward) { return uint64_t{!forward.stats.is_unreachable}; }},
    {{kCounter, "adit_forward_service_unreachable", "", "How often the service's host said that nobody is there."},
     For::kUdp,
     [](const ForwardView& forward) { return forward.stats.unreachable; }},
};

/// The same family for both directions.
struct TrafficMetric {
  MetricFamily family;
  For protocol;
  uint64_t forward::RuleStats::*in;
  uint64_t forward::RuleStats::*out;
};

constexpr TrafficMetric kTrafficMetrics[] = {
    {{kCounter, "adit_forward_packets", "", "Datagrams forwarded, from clients (in) and to them (out)."},
     For::kUdp,
     &forward::RuleStats::packets_in,
     &forward::RuleStats::packets_out},
    {{kCounter, "adit_forward_bytes", "bytes", "Payload forwarded, from clients (in) and to them (out)."},
     For::kAll,
     &forward::RuleStats::bytes_in,
     &forward::RuleStats::bytes_out},
};

std::vector<ForwardView> views(const config::Config& config, const Snapshot& snapshot) {
  std::vector<ForwardView> forwards;
  forwards.reserve(config.forwards.size());
  for_each_forward(config, snapshot, [&](const config::Forward& configured, const forward::RuleStats& stats) {
    forwards.push_back({configured, stats});
  });
  return forwards;
}

void write_forward_infos(MetricsWriter& writer, const std::vector<ForwardView>& forwards) {
  writer.begin({kInfo, "adit_forward", "", "What the forward is."});
  for (const ForwardView& forward : forwards) {
    const bool keeps = forward.configured.source == config::SourceAddress::kKeep;
    writer.sample({{"forward", forward.configured.name},
                   {"protocol", forward.is_udp() ? "udp" : "tcp"},
                   {"source", keeps ? "keep" : "snat"},
                   {"to", forward.configured.to}},
                  1);
  }
}

/// Only reasons that have occurred: most never can.
void write_forward_drops(MetricsWriter& writer, const std::vector<ForwardView>& forwards) {
  writer.begin({kCounter, "adit_forward_drops", "", "Packets and connections of the forward dropped."});
  for (const ForwardView& forward : forwards) {
    for (size_t i = 1; i < kDropCount; ++i) {
      const auto reason = static_cast<Drop>(i);
      const uint64_t count = forward.stats.drops[reason];
      if (count > 0) writer.sample({{"forward", forward.configured.name}, {"reason", drop_name(reason)}}, count);
    }
  }
}

void write_forwards(MetricsWriter& writer, const std::vector<ForwardView>& forwards) {
  write_forward_infos(writer, forwards);
  for (const TrafficMetric& metric : kTrafficMetrics) {
    writer.begin(metric.family);
    for (const ForwardView& forward : forwards) {
      if (metric.protocol == For::kUdp && !forward.is_udp()) continue;
      const std::string_view name = forward.configured.name;
      writer.sample({{"forward", name}, {"direction", "in"}}, forward.stats.*metric.in);
      writer.sample({{"forward", name}, {"direction", "out"}}, forward.stats.*metric.out);
    }
  }
  for (const ForwardMetric& metric : kForwardMetrics) {
    writer.begin(metric.family);
    for (const ForwardView& forward : forwards) {
      if (metric.protocol == For::kUdp && !forward.is_udp()) continue;
      writer.sample({{"forward", forward.configured.name}}, metric.value(forward));
    }
  }
  write_forward_drops(writer, forwards);
}

}  // namespace

std::string_view content_type(MetricsFormat format) noexcept {
  return format == MetricsFormat::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                               : "text/plain; version=0.0.4; charset=utf-8";
}

std::string metrics_text(const config::Config& config, const Snapshot& snapshot, std::string_view version,
                         MetricsFormat format) {
  MetricsWriter writer(format);
  write_gateway(writer, config, snapshot, version);
  write_peers(writer, config, snapshot);
  write_forwards(writer, views(config, snapshot));
  return std::move(writer).finish();
}

}  // namespace adit::daemon
