// The file of the running program.  One implementation file per system.
#pragma once

#include <filesystem>

namespace adit::daemon {

/// By which it can be started again.  Throws std::system_error.
std::filesystem::path program_path();

}  // namespace adit::daemon
