#include "daemon/user.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "net/fd.h"

namespace adit::daemon {
namespace {

std::optional<User> find_user(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  return entry == nullptr ? std::nullopt : std::optional<User>({name, entry->pw_uid, entry->pw_gid});
}

}  // namespace

std::optional<User> user_to_become(const std::string& name) {
  if (name.empty()) return {};
  const std::optional<User> user = find_user(name);
  if (!user) throw std::runtime_error("--user " + name + ": there is no such user");
  if (user->uid == ::getuid() && user->uid == ::geteuid()) return {};
  if (::geteuid() == 0) return user;
  throw AdvisedError(EPERM, "--user " + name, "only root can become another user");
}

std::optional<User> service_user() { return ::geteuid() == 0 ? find_user("adit") : std::nullopt; }

ActingAs::ActingAs(const std::optional<User>& user) : acts_(user.has_value()), group_(::getegid()) {
  if (!acts_) return;
  const std::string what = "act as user " + user->name;
  groups_.resize(static_cast<size_t>(check_call(what, ::getgroups(0, nullptr))));
  check_call(what, ::getgroups(static_cast<int>(groups_.size()), groups_.data()));
  check_call(what, ::initgroups(user->name.c_str(), user->gid));
  check_call(what, ::setegid(user->gid));
  check_call(what, ::seteuid(user->uid));
}

/// Half of one user and half of another must not go on.
ActingAs::~ActingAs() {
  if (!acts_) return;
  if (::seteuid(0) != 0 || ::setegid(group_) != 0) std::abort();
  if (::setgroups(static_cast<int>(groups_.size()), groups_.data()) != 0) std::abort();
}

void become(const User& user) {
  const std::string what = "become user " + user.name;
  check_call(what, ::initgroups(user.name.c_str(), user.gid));
  check_call(what, ::setresgid(user.gid, user.gid, user.gid));
  check_call(what, ::setresuid(user.uid, user.uid, user.uid));
}

void share_directory(const std::string& directory, const User& user) {
  const std::string what = "share " + directory + " with " + user.name;
  std::filesystem::create_directories(directory);
  check_call(what, ::chown(directory.c_str(), 0, user.gid));
  check_call(what, ::chmod(directory.c_str(), S_ISVTX | 0775));
}

}  // namespace adit::daemon
