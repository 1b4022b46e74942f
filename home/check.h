// What is wrong with values that are right one by one: names, addresses and ports given twice, jails that are not
// there.
#pragma once

#include <map>
#include <string>

#include "config/problems.h"
#include "home/home_config.h"

namespace adit::home {

void check(const HomeConfig& config, config::Problems& problems);

/// check()'s parts.
void check_networks(const HomeConfig& config, config::Problems& problems);
void check_redirects(const HomeConfig& config, config::Problems& problems);
void check_ports(const HomeConfig& config, config::Problems& problems);

/// Things of which each may be there once, and where it was first.
template <typename Key>
class Taken {
 public:
  /// Takes it; a problem when it has been taken before.
  void take(const Key& key, Place place, const std::string& what, config::Problems& problems) {
    const auto [at, is_new] = places_.emplace(key, place);
    if (!is_new) problems.add(place, what + " is already in " + config::line_of(at->second));
  }

 private:
  std::map<Key, Place> places_;
};

}  // namespace adit::home
