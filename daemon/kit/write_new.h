// Files that must not be there yet.
#pragma once

#include <filesystem>
#include <vector>

#include "daemon/kit/kit.h"
#include "daemon/user.h"

namespace adit::daemon {

/// Those of the files that are there already, of whatever kind.
std::vector<std::filesystem::path> already_there(const std::filesystem::path& directory,
                                                 const std::vector<KitFile>& files);

/// Writes all of them, with the folders that are missing, or none: what it made is removed when it fails.  `owner`, if
/// any, gets those that are in no folder of their own: the gateway's.  Throws std::system_error, also when one is there
/// already.
void write_new(const std::filesystem::path& directory, const std::vector<KitFile>& files,
               const std::optional<User>& owner);

}  // namespace adit::daemon
