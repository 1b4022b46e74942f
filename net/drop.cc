#include "net/drop.h"

#include <numeric>

namespace adit {
namespace {

constexpr std::array<std::string_view, kDropCount> kNames = {
    "none",
    "bad_length",
    "bad_type",
    "bad_mac",
    "under_load",
    "rate_limited",
    "forged_handshake",
    "unknown_peer",
    "replayed_initiation",
    "unconfirmed",
    "unknown_index",
    "bad_cookie",
    "key_expired",
    "forged",
    "replayed",
    "not_ip",
    "bad_ip_length",
    "wrong_source",
    "bad_ecn",
    "no_route",
    "no_endpoint",
    "routing_loop",
    "stage_full",
    "stage_purged",
    "down",
    "not_allowed",
    "flow_table_full",
    "source_flows_full",
    "source_rate",
    "no_port",
    "no_address",
    "too_big",
    "bad_checksum",
    "bad_udp_length",
    "tiny_fragment",
    "bad_fragment",
    "fragment_overlap",
    "fragment_timeout",
    "fragments_full",
    "service_refused",
    "service_timeout",
    "service_unreachable",
    "no_descriptor",
    "truncated_read",
    "bad_offload",
    "socket_full",
    "socket_error",
    "tun_full",
    "tun_error",
    "no_tun",
    "no_buffer",
};
static_assert(!kNames.back().empty(), "every drop reason has a name");

}  // namespace

std::string_view drop_name(Drop reason) noexcept { return kNames[static_cast<size_t>(reason)]; }

uint64_t DropCounters::total() const noexcept { return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0}); }

DropCounters& DropCounters::operator+=(const DropCounters& other) noexcept {
  for (size_t i = 0; i < kDropCount; ++i) counts_[i] += other.counts_[i];
  return *this;
}

}  // namespace adit
