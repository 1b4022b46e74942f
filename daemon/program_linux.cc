#include "daemon/program.h"

namespace adit::daemon {

std::filesystem::path program_path() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace adit::daemon
