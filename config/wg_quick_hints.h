// What to do in adit's words instead of what only wg-quick does.
#pragma once

#include <string>
#include <string_view>

namespace adit::config {

/// `key`: in small letters, one of DNS, SaveConfig and the hooks.  `value` is looked at, not understood: a shell line
/// may do anything.
std::string advice_on(std::string_view key, std::string_view value);

}  // namespace adit::config
