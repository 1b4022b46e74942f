// What a forward is told: where clients come in, which services they are sent to, who may, and how many.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/addr.h"
#include "net/prefix_trie.h"
#include "net/time.h"

namespace adit::forward {

using RuleId = uint32_t;      // in the order of `Settings::rules`
using ListenerId = uint32_t;  // counts through all rules' listeners, in order

/// Who may use a rule: the longest prefix that holds an address decides, true lets in (pf's tables with "!").
using SourceTable = PrefixTrie<bool>;

/// One address and port that clients send to, and the service that is behind it.
struct Listener {
  Endpoint listen;
  Endpoint to;
  bool operator==(const Listener&) const noexcept = default;
};

/// Whom the service sees.
enum class Source : uint8_t {
  kSnat,  // the gateway's tunnel address, and a port of its own for each flow (pf's nat rule)
  kKeep,  // the client's own address and port
};

struct Rule {
  std::string name;
  std::vector<Listener> listeners;
  std::optional<SourceTable> from;  // none: anyone
  Source source = Source::kSnat;
  Duration idle_timeout = seconds(180);       // of flows that the service has answered
  Duration unanswered_timeout = seconds(30);  // of the others
  uint32_t max_flows = 4096;
  // For each source, which is an IPv4 address or an IPv6 /64:
  uint32_t max_flows_per_source = 64;
  uint32_t max_new_flows_per_source = 0;  // opened in a second; 0: any number

  [[nodiscard]] bool lets_in(const Ip& client) const noexcept {
    if (!from) return true;
    const bool* allowed = from->find(client);
    return allowed != nullptr && *allowed;
  }
};

}  // namespace adit::forward
