// How long the flows of a [[forward]] live, and how many there may be.
#include <algorithm>
#include <chrono>

#include "config/read_forward.h"
#include "config/values.h"

namespace adit::config {
namespace {

std::optional<Duration> duration_of(const Node& node) {
  if (node.kind == Node::Kind::kString) return parse_duration(node.string);
  if (node.kind == Node::Kind::kInteger) return parse_duration(std::to_string(node.integer));
  return {};
}

/// From a second to `longest`, which is as a person writes it.
std::optional<Placed<Duration>> read_duration(TableReader& reader, std::string_view key, std::string_view longest) {
  const Node* node = reader.find(key);
  if (node == nullptr) return {};
  const auto duration = duration_of(*node);
  if (duration && *duration >= seconds(1) && *duration <= *parse_duration(longest)) {
    return Placed<Duration>{*duration, node->place};
  }
  reader.problems().add(node->place, std::string(key) + " must be from \"1s\" to \"" + std::string(longest) +
                                         "\", like \"90s\", \"2m\" or 90");
  return {};
}

void read_unanswered_timeout(TableReader& reader, Forward& forward) {
  const auto timeout = read_duration(reader, "unanswered_timeout", "24h");
  if (!timeout) {
    forward.unanswered_timeout = std::min(forward.unanswered_timeout, forward.idle_timeout);
    return;
  }
  forward.unanswered_timeout = timeout->value;
  if (timeout->value <= forward.idle_timeout) return;
  const auto idle = std::chrono::duration_cast<std::chrono::seconds>(forward.idle_timeout);
  reader.problems().add(timeout->place, "unanswered_timeout must not be longer than idle_timeout, which is " +
                                            std::to_string(idle.count()) + "s");
}

std::optional<uint32_t> read_count(TableReader& reader, std::string_view key, uint32_t smallest, uint32_t largest) {
  const auto count = reader.integer(key, smallest, largest);
  if (!count) return {};
  return static_cast<uint32_t>(count->value);
}

}  // namespace

bool is_for(TableReader& reader, std::string_view key, Protocol wanted, std::optional<Protocol> protocol) {
  const Node* node = reader.find(key);
  if (node == nullptr || !protocol || *protocol == wanted) return true;
  reader.problems().add(node->place, std::string(key) + " is for " + (wanted == Protocol::kTcp ? "tcp" : "udp") +
                                         " only, and this forward is " + (wanted == Protocol::kTcp ? "udp" : "tcp"));
  return false;
}

void read_timeouts(TableReader& reader, std::optional<Protocol> protocol, Forward& forward) {
  const bool is_tcp = protocol == Protocol::kTcp;
  if (is_tcp) forward.idle_timeout = std::chrono::hours(2);
  const size_t before = reader.problems().count();
  const auto idle = read_duration(reader, "idle_timeout", is_tcp ? "168h" : "24h");
  if (idle) forward.idle_timeout = idle->value;
  // What idle_timeout was to be is not known: nothing is longer than it.
  if (reader.problems().count() != before) forward.idle_timeout = std::chrono::hours(24);
  if (is_for(reader, "unanswered_timeout", Protocol::kUdp, protocol)) read_unanswered_timeout(reader, forward);
  if (!is_for(reader, "connect_timeout", Protocol::kTcp, protocol)) return;
  const auto connect = read_duration(reader, "connect_timeout", "2m");
  if (connect) forward.connect_timeout = connect->value;
}

void read_limits(TableReader& reader, std::optional<Protocol> protocol, Forward& forward) {
  // A connection costs two descriptors and the kernel's buffers, a flow of datagrams a few hundred bytes.
  const bool is_tcp = protocol == Protocol::kTcp;
  const uint32_t most = is_tcp ? 65536 : 262144;
  if (is_tcp) forward.max_flows = 1024;
  const size_t before = reader.problems().count();
  forward.max_flows = read_count(reader, "max_flows", 1, most).value_or(forward.max_flows);
  const uint32_t most_per_source = reader.problems().count() == before ? forward.max_flows : most;
  forward.max_flows_per_source = read_count(reader, "max_flows_per_source", 1, most_per_source)
                                     .value_or(std::min(forward.max_flows_per_source, most_per_source));
  constexpr uint32_t kFastest = 10000;
  forward.max_new_flows_per_source = read_count(reader, "max_new_flows_per_source", 0, kFastest).value_or(0);
}

}  // namespace adit::config
