// adit genkey, genpsk, pubkey: the same bytes in and out as `wg` has.

#include "crypto/keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "crypto/x25519.h"
#include "daemon/commands/commands.h"

namespace adit::daemon {
namespace {

constexpr size_t kKeyCharacters = 44;
constexpr size_t kMostInput = 4096;

/// An empty key file would be found out much later.
void print_line(const std::string& text) {
  if (std::puts(text.c_str()) < 0 || std::fflush(stdout) != 0) {
    throw std::system_error(errno, std::generic_category(), "write key");
  }
}

/// The key that is all of stdin but for white space behind it, as `wg pubkey` takes it.
std::string read_key_text() {
  std::string text(kMostInput, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::cin.gcount()));
  const size_t end = text.find_last_not_of(" \t\n\v\f\r");
  if (end != text.npos && end + 1 >= kKeyCharacters) text.resize(end + 1);
  return text;
}

void print_secret(const crypto::KeyBytes& key) {
  struct stat output {};
  if (fstat(STDOUT_FILENO, &output) == 0 && S_ISREG(output.st_mode) && (output.st_mode & S_IRWXO) != 0) {
    std::fputs("Warning: writing to world accessible file.\nConsider setting the umask to 077 and trying again.\n",
               stderr);
  }
  std::string text = crypto::key_to_base64(key);
  print_line(text);
  crypto::wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()});
}

}  // namespace

int genkey() {
  print_secret(crypto::generate_private_key().bytes());
  return kExitDone;
}

int genpsk() {
  print_secret(crypto::generate_preshared_key().bytes());
  return kExitDone;
}

int pubkey() {
  std::string text = read_key_text();
  const auto bytes = crypto::key_from_base64(text);
  crypto::wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  if (!bytes) throw std::runtime_error("read private key: not a base64 key of 44 characters (try: adit genkey)");
  print_line(crypto::public_key_of(crypto::PrivateKey(*bytes)).to_base64());
  return kExitDone;
}

}  // namespace adit::daemon
