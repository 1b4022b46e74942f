#include "daemon/watch/history.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace adit::watch {
namespace {

uint64_t value_in(const std::map<std::string, uint64_t>& counters, const std::string& counter) {
  const auto found = counters.find(counter);
  return found == counters.end() ? 0 : found->second;
}

}  // namespace

History::Counters History::counters_of(const nlohmann::ordered_json& gateway) {
  Counters counters;
  const auto& peers = gateway.at("peers");
  for (size_t i = 0; i < std::min(peers.size(), kMostPeers); ++i) {
    const std::string key = peers[i].at("public_key");
    counters[of_peer(key, " in")] = peers[i].at("received_bytes");
    counters[of_peer(key, " out")] = peers[i].at("sent_bytes");
  }
  for (const auto& forward : gateway.at("forwards")) {
    const std::string name = forward.at("name");
    const bool is_udp = forward.contains("packets_in");
    counters[of_forward(name, " in")] = forward.at(is_udp ? "packets_in" : "bytes_in");
    counters[of_forward(name, " out")] = forward.at(is_udp ? "packets_out" : "bytes_out");
  }
  for (const auto& [name, count] : gateway.at("drops").items()) counters[of_drop(name)] = count;
  return counters;
}

void History::add(double at, const nlohmann::ordered_json& gateway) {
  Counters counters = counters_of(gateway);
  const bool is_another = !samples_.empty() && std::ranges::any_of(counters, [&](const auto& counter) {
    return counter.second < value_in(samples_.back().counters, counter.first);
  });
  if (is_another) samples_.clear();
  samples_.push_back({at, std::move(counters)});
  if (samples_.size() > kMostSamples) samples_.pop_front();
}

double History::rate_between(const Sample& before, const Sample& after, const std::string& counter) {
  const double time = after.at - before.at;
  if (time <= 0 || !before.counters.contains(counter)) return 0;
  return static_cast<double>(value_in(after.counters, counter) - value_in(before.counters, counter)) / time;
}

std::vector<double> History::rates(const std::string& counter) const {
  std::vector<double> all;
  for (size_t i = 1; i < samples_.size(); ++i) all.push_back(rate_between(samples_[i - 1], samples_[i], counter));
  return all;
}

double History::rate(const std::string& counter) const {
  if (samples_.size() < 2) return 0;
  return rate_between(samples_[samples_.size() - 2], samples_.back(), counter);
}

/// A drop that has not happened before is not among the counters, and still grows.
uint64_t History::growth(const std::string& counter) const {
  if (samples_.size() < 2) return 0;
  return value_in(samples_.back().counters, counter) - value_in(samples_[samples_.size() - 2].counters, counter);
}

}  // namespace adit::watch
