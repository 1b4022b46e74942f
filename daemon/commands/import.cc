// adit import: a file of wg-quick's as adit's own configuration, on standard output.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "config/problems.h"
#include "config/secret.h"
#include "config/values.h"
#include "config/wg_quick.h"
#include "daemon/commands/commands.h"

namespace adit::daemon {
namespace {

/// wg-quick takes the interface's name from the file's.
std::string interface_of(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  return file.extension() == ".conf" && config::is_interface_name(stem) ? stem : "wg0";
}

/// Keys in a file that others may read are keys no longer, and adit does not read it.
bool may_others_read_output() {
  struct stat output {};
  return fstat(STDOUT_FILENO, &output) == 0 && S_ISREG(output.st_mode) && (output.st_mode & 0066) != 0;
}

void print_whole(const std::string& text) {
  const bool is_written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!is_written) throw std::system_error(errno, std::generic_category(), "write configuration");
}

}  // namespace

int import(const std::filesystem::path& file) {
  const config::SecretFile source = config::read_config_file(file);
  config::WgQuick read = config::parse_wg_quick(source.text(), file.string(), interface_of(file));
  config::TomlWriter toml;
  config::write_toml(read, file.filename().string(), toml);
  print_whole(toml.str());
  for (const config::Leftover& leftover : read.leftovers) {
    std::cerr << file.string() << ":" << leftover.place.line << ": not taken over: " << config::visible(leftover.what)
              << "\n  " << leftover.advice << "\n";
  }
  if (may_others_read_output()) {
    std::cerr << "adit: others may read what this was written to, and adit refuses it as long as they may: chmod 600\n";
  }
  config::forget_keys(read.config);
  return kExitDone;
}

}  // namespace adit::daemon
