#include "daemon/kit/write_new.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "net/fd.h"

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

/// What was made, in order; removed again unless it is kept.
class Made {
 public:
  Made() = default;
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  ~Made() {
    for (auto path = paths_.rbegin(); path != paths_.rend(); ++path) ::remove(path->c_str());
  }

  void add(const fs::path& path) { paths_.push_back(path); }
  void keep() noexcept { paths_.clear(); }

 private:
  std::vector<fs::path> paths_;
};

/// With what is above it.
void make_folder(const fs::path& folder, mode_t mode, Made& made) {
  constexpr mode_t kOpen = 0755;
  if (folder.empty() || fs::is_directory(folder)) return;
  make_folder(folder.parent_path(), kOpen, made);
  check_call("create " + folder.string(), ::mkdir(folder.c_str(), mode));
  made.add(folder);
}

void write_file(const fs::path& path, mode_t mode, std::string_view text, const std::optional<User>& owner,
                Made& made) {
  const std::string what = "create " + path.string();
  const Fd file(check_call(what, ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)));
  made.add(path);
  while (!text.empty())
    text.remove_prefix(static_cast<size_t>(check_call(what, ::write(file.get(), text.data(), text.size()))));
  check_call(what, ::fchmod(file.get(), mode));  // whatever the umask
  if (owner) check_call(what, ::fchown(file.get(), owner->uid, owner->gid));
  check_call(what, ::fsync(file.get()));
}

}  // namespace

std::vector<fs::path> already_there(const fs::path& directory, const std::vector<KitFile>& files) {
  std::vector<fs::path> found;
  for (const KitFile& file : files) {
    const fs::path path = directory / file.path;
    if (fs::symlink_status(path).type() != fs::file_type::not_found) found.push_back(path);
  }
  return found;
}

void write_new(const fs::path& directory, const std::vector<KitFile>& files, const std::optional<User>& owner) {
  constexpr mode_t kOwnerOnly = 0700;
  Made made;
  make_folder(directory, 0755, made);
  for (const KitFile& file : files) {
    const fs::path path = directory / file.path;
    const bool is_gateways = path.parent_path() == directory;
    if (!is_gateways) make_folder(path.parent_path(), kOwnerOnly, made);
    write_file(path, static_cast<mode_t>(file.mode), file.text, is_gateways ? owner : std::nullopt, made);
  }
  made.keep();
}

}  // namespace adit::daemon
