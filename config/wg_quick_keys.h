// The keys of wg-quick's files, one by one.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/problems.h"
#include "config/read.h"
#include "config/wg_quick.h"

namespace adit::config {

/// A line of a section.
struct WgQuickSetting {
  std::string key;         // in small letters
  std::string_view name;   // as written
  std::string_view value;  // without blanks around it
  Place place;             // of the value
};

/// What the keys of a section are read into.
struct WgQuickTarget {
  WgQuick& file;
  Places& places;
  Problems& problems;
  [[nodiscard]] Interface& interface() const { return file.config.interface; }
  [[nodiscard]] Peer& peer() const { return file.config.peers.back(); }
  [[nodiscard]] PeerPlaces& peer_places() const { return places.peers.back(); }
};

struct WgQuickKey {
  std::string_view name;  // as wg(8) and wg-quick(8) write it
  void (*read)(const WgQuickSetting&, const WgQuickTarget&);
  bool may_repeat = false;
};

std::span<const WgQuickKey> interface_keys();
std::span<const WgQuickKey> peer_keys();

}  // namespace adit::config
