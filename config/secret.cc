#include "config/secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <system_error>

#include "config/config.h"
#include "config/unreadable.h"
#include "crypto/keys.h"
#include "net/fd.h"

namespace adit::config {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, int reason) {
  throw std::system_error(reason, std::generic_category(), "read " + file.string());
}

bool may_others_use(int fd, const std::filesystem::path& file) {
  struct stat status {};
  if (fstat(fd, &status) != 0) fail(file, errno);
  return (status.st_mode & 0066) != 0;
}

}  // namespace

void wipe_text(std::string& text) noexcept { crypto::wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()}); }

SecretFile read_secret_file(const std::filesystem::path& file, size_t limit) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail(file, errno);
  SecretFile secret;
  secret.is_open_to_others = may_others_use(fd.get(), file);
  secret.buffer.resize(limit + 1);  // at once: a text that grows would leave copies behind
  while (secret.size < secret.buffer.size()) {
    const ssize_t count = ::read(fd.get(), secret.buffer.data() + secret.size, secret.buffer.size() - secret.size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(file, errno);
    if (count == 0) break;
    secret.size += static_cast<size_t>(count);
  }
  return secret;
}

SecretFile read_config_file(const std::filesystem::path& file) {
  constexpr size_t kLargest = 1 << 20;
  constexpr Place kBegin = {1, 1};
  try {
    SecretFile content = read_secret_file(file, kLargest);
    if (content.size <= kLargest) return content;
  } catch (const std::system_error& error) {
    throw UnreadableError(error);
  }
  throw ConfigError(file.string(), {{kBegin, "larger than 1 MiB: not a configuration"}});
}

}  // namespace adit::config
