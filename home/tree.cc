#include "home/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace adit::home {
namespace {

constexpr off_t kLargestFile = 16 << 20;
constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Where a file's new text is until it takes the old one's place; no pattern of a configuration takes it for one of its
/// files, as it begins with a dot.
std::string temporary_name(const std::string& path) { return "." + name_of(path) + ".adit-new"; }

bool is_link(const Fd& directory, const std::string& name) {
  struct stat status {};
  return ::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

[[noreturn]] void fail(int error, const std::string& what, const std::string& path) {
  throw AdvisedError(error, what + " " + path, error == EACCES || error == EPERM ? "is this run as root?" : "");
}

int check(int result, const std::string& what, const std::string& path) {
  if (result == -1) fail(errno, what, path);
  return result;
}

/// What O_NOFOLLOW and O_DIRECTORY say of links differs from system to system.
[[noreturn]] void fail_to_open(int error, const Fd& directory, const std::string& name, const std::string& path) {
  if (is_link(directory, name)) {
    throw std::runtime_error("open " + path + ": it is a symbolic link (adit follows none; put a file in its place)");
  }
  fail(error, "open", path);
}

void write_whole(const Fd& file, const std::string& text, const std::string& path) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(file.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno, "write", path);
    done += static_cast<size_t>(written);
  }
}

std::string read_whole(const Fd& file, const std::string& path) {
  std::string text;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail(errno, "read", path);
    if (size == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(size));
  }
}

std::vector<std::string> names_in(const Fd& directory, const std::string& path) {
  const int copy = check(::openat(directory.get(), ".", kDirectory), "list", path);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy), ::closedir);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

}  // namespace

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

void require_plain(const std::string& path) {
  const auto refuse = [&] { throw std::invalid_argument("\"" + path + "\" is not a plain absolute path"); };
  if (!path.starts_with('/')) refuse();
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string name = path.substr(at + 1, end - at - 1);
    if (name.empty() || name == "." || name == ".." || name.find('\0') != name.npos) refuse();
    at = end;
  }
}

Tree::Tree(std::filesystem::path root, Step step)
    : root_path_(std::move(root)),
      root_(check(::open(root_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open", root_path_.string())),
      step_(std::move(step)) {}

void Tree::lock() {
  if (::flock(root_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) fail(errno, "lock", root_path_.string());
  throw std::runtime_error("lock " + root_path_.string() +
                           ": another adit home works on it (try again when it is done)");
}

std::filesystem::path Tree::outside(const std::string& path) const { return root_path_ / path.substr(1); }

std::optional<Fd> Tree::open_directory(const std::string& path) const {
  Fd directory(check(::openat(root_.get(), ".", kDirectory), "open", root_path_.string()));
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string name = path.substr(at + 1, end - at - 1);
    Fd next(::openat(directory.get(), name.c_str(), kDirectory));
    if (!next && errno == ENOENT) return std::nullopt;
    if (!next) fail_to_open(errno, directory, name, path.substr(0, end));
    directory = std::move(next);
    at = end;
  }
  return directory;
}

Fd Tree::open_parent(const std::string& path) const {
  auto directory = open_directory(parent_of(path));
  if (!directory) fail(ENOENT, "open", parent_of(path));
  return std::move(*directory);
}

std::optional<Found> Tree::read(const std::string& path) const {
  const auto directory = open_directory(parent_of(path));
  if (!directory) return std::nullopt;
  const std::string name = name_of(path);
  // Not to wait for whoever writes to a pipe.
  const Fd file(::openat(directory->get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) fail_to_open(errno, *directory, name, path);
  struct stat status {};
  check(::fstat(file.get(), &status), "look at", path);
  if (!S_ISREG(status.st_mode)) throw std::runtime_error("open " + path + ": it is not a file");
  if (status.st_size > kLargestFile) fail(EFBIG, "read", path);
  return Found{read_whole(file, path), static_cast<unsigned>(status.st_mode & 07777), status.st_uid, status.st_gid};
}

bool Tree::has_directory(const std::string& path) const { return open_directory(path).has_value(); }

std::vector<std::string> Tree::list(const std::string& path) const {
  const auto directory = open_directory(path);
  return directory ? names_in(*directory, path) : std::vector<std::string>();
}

void Tree::sync_directory(const Fd& directory, const std::string& path) const {
  step("sync the directory of " + path);
  check(::fsync(directory.get()), "sync the directory of", path);
}

void Tree::unlink(const Fd& directory, const std::string& name, const std::string& path) {
  step("remove " + path);
  if (::unlinkat(directory.get(), name.c_str(), 0) != 0 && errno != ENOENT) fail(errno, "remove", path);
}

void Tree::write(const std::string& path, const std::string& text, unsigned mode, const Found* like) {
  const Fd directory = open_parent(path);
  const std::string name = temporary_name(path);
  step("create " + path);
  const Fd file(check(::openat(directory.get(), name.c_str(), kNew, 0600), "write", path));
  struct stat status {};
  check(::fstat(file.get(), &status), "write", path);
  if (like != nullptr && (status.st_uid != like->owner || status.st_gid != like->group)) {
    step("give its owner to " + path);
    check(::fchown(file.get(), like->owner, like->group), "give its owner to", path);
  }
  step("set the mode of " + path);
  check(::fchmod(file.get(), static_cast<mode_t>(mode)), "set the mode of", path);
  step("write " + path);
  write_whole(file, text, path);
  step("sync " + path);
  check(::fsync(file.get()), "sync", path);
  step("rename " + path);
  check(::renameat(directory.get(), name.c_str(), directory.get(), name_of(path).c_str()), "write", path);
  sync_directory(directory, path);
}

void Tree::clean(const std::string& path) {
  const auto directory = open_directory(parent_of(path));
  if (!directory) return;
  struct stat status {};
  if (::fstatat(directory->get(), temporary_name(path).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
  unlink(*directory, temporary_name(path), path);
}

void Tree::remove(const std::string& path) {
  const auto directory = open_directory(parent_of(path));
  if (!directory) return;
  unlink(*directory, name_of(path), path);
  sync_directory(*directory, path);
}

void Tree::make_directory(const std::string& path, unsigned mode) {
  const Fd directory = open_parent(path);
  step("make " + path);
  check(::mkdirat(directory.get(), name_of(path).c_str(), static_cast<mode_t>(mode)), "make", path);
  sync_directory(directory, path);
}

bool Tree::remove_directory(const std::string& path) {
  const auto directory = open_directory(parent_of(path));
  if (!directory) return true;
  step("remove " + path);
  if (::unlinkat(directory->get(), name_of(path).c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    if (errno == ENOTEMPTY || errno == EEXIST) return false;
    fail(errno, "remove", path);
  }
  sync_directory(*directory, path);
  return true;
}

void Tree::rename_directory(const std::string& from, const std::string& to) {
  const Fd source = open_parent(from);
  const Fd target = open_parent(to);
  step("rename " + from);
  check(::renameat(source.get(), name_of(from).c_str(), target.get(), name_of(to).c_str()), "rename", from);
  sync_directory(target, to);
}

void Tree::remove_all(const std::string& path) {
  const auto directory = open_directory(path);
  if (!directory) return;
  for (const std::string& name : names_in(*directory, path)) {
    struct stat status {};
    check(::fstatat(directory->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW), "look at", path);
    std::string each = path;
    each.append("/").append(name);
    if (S_ISDIR(status.st_mode)) {
      remove_all(each);
    } else {
      unlink(*directory, name, each);
    }
  }
  remove_directory(path);
}

}  // namespace adit::home
