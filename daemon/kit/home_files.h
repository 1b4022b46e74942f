// The kit's texts for the machine at home.
#pragma once

#include <string>

#include "daemon/kit/kit.h"

namespace adit::daemon {

/// home_wg_quick() with a word about it.
std::string home_wg_quick_file(const KitRequest& request);
/// For `adit home` on FreeBSD.
std::string home_toml(const KitRequest& request);
std::string home_readme(const KitRequest& request);

}  // namespace adit::daemon
