// What `adit show --watch` remembers of a gateway between two looks: counters, and the rates between them.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace adit::watch {

/// Peers beyond these are counted, not shown.
inline constexpr size_t kMostPeers = 64;

class History {
 public:
  static constexpr size_t kMostSamples = 31;  // of which thirty rates are made

  /// `at`: seconds of a clock that never goes back; `gateway` as of daemon/status.h.  Counters that are smaller than
  /// before are another gateway's, and all begins anew.
  void add(double at, const nlohmann::ordered_json& gateway);

  /// A counter's growth per second between each two looks, oldest first; none before the second look.
  [[nodiscard]] std::vector<double> rates(const std::string& counter) const;
  /// Of the last two looks, 0 before there are two.
  [[nodiscard]] double rate(const std::string& counter) const;
  /// Growth between the last two looks.
  [[nodiscard]] uint64_t growth(const std::string& counter) const;

  // The names of counters.
  static std::string of_peer(const std::string& public_key, const char* what) { return "peer " + public_key + what; }
  static std::string of_forward(const std::string& name, const char* what) { return "forward " + name + what; }
  static std::string of_drop(const std::string& name) { return "drop " + name; }

 private:
  using Counters = std::map<std::string, uint64_t>;
  struct Sample {
    double at;
    Counters counters;
  };
  static Counters counters_of(const nlohmann::ordered_json& gateway);
  static double rate_between(const Sample& before, const Sample& after, const std::string& counter);

  std::deque<Sample> samples_;
};

}  // namespace adit::watch
