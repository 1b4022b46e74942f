// The parts of a [[forward]], in the order read_forward() asks for them.
#pragma once

#include <optional>

#include "config/read.h"

namespace adit::config {

/// listen and to, as written and with their ranges.
void read_listen(TableReader& reader, Forward& forward, ForwardPlaces& places);
void read_to(TableReader& reader, Forward& forward, ForwardPlaces& places);

void read_from(TableReader& reader, const Tables& tables, Forward& forward);

/// How long flows live and how many there may be.  `protocol` is none when what is written is none: then no key is
/// refused for being the other's.
void read_timeouts(TableReader& reader, std::optional<Protocol> protocol, Forward& forward);
void read_limits(TableReader& reader, std::optional<Protocol> protocol, Forward& forward);

/// Whether a key that only one protocol has may be read; a problem when it is given with the other.
bool is_for(TableReader& reader, std::string_view key, Protocol wanted, std::optional<Protocol> protocol);

}  // namespace adit::config
