// The files of a machine below a root, read and changed so that an end at any moment leaves each file old or new.
//
// Paths are absolute as on the machine itself: "/etc/pf.conf". Symbolic links below the root are not followed, wherever
// they lead, but refused by name: a link that is right on the machine leads elsewhere seen from outside of it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/fd.h"

namespace adit::home {

/// A file as it is.
struct Found {
  std::string text;
  unsigned mode = 0644;  ///< permission bits
  uid_t owner = 0;
  gid_t group = 0;
};

/// What can be asked about a machine without changing it.
class TreeView {
 public:
  virtual ~TreeView() = default;
  /// Nothing when there is no such file. Throws std::runtime_error for what is not a plain file.
  [[nodiscard]] virtual std::optional<Found> read(const std::string& path) const = 0;
  [[nodiscard]] virtual bool has_directory(const std::string& path) const = 0;
};

class Tree : public TreeView {
 public:
  /// Called before every change of the file system, with what it is.
  using Step = std::function<void(const std::string& what)>;

  /// Throws std::system_error if there is no such directory.
  explicit Tree(std::filesystem::path root, Step step = {});

  /// From here to the end of this object no other may change this tree. Throws std::runtime_error if another does.
  void lock();

  [[nodiscard]] std::optional<Found> read(const std::string& path) const override;
  [[nodiscard]] bool has_directory(const std::string& path) const override;
  /// The names in a directory, without "." and "..".
  [[nodiscard]] std::vector<std::string> list(const std::string& path) const;
  /// The same as a path of this machine.
  [[nodiscard]] std::filesystem::path outside(const std::string& path) const;

  /// The file has this text, mode and (of `like`, if given) owner; on the disk when this returns.
  void write(const std::string& path, const std::string& text, unsigned mode, const Found* like = nullptr);
  /// Takes away what an interrupted write() of this file left.
  void clean(const std::string& path);
  /// It may be gone already, as may what it is in.
  void remove(const std::string& path);
  void make_directory(const std::string& path, unsigned mode = 0755);
  /// False if something is in it. It may be gone already.
  bool remove_directory(const std::string& path);
  void rename_directory(const std::string& from, const std::string& to);
  /// With everything in it; it may be gone already.
  void remove_all(const std::string& path);

 private:
  void step(const std::string& what) const {
    if (step_) step_(what);
  }
  /// Nothing when it is not there.
  [[nodiscard]] std::optional<Fd> open_directory(const std::string& path) const;
  [[nodiscard]] Fd open_parent(const std::string& path) const;
  void unlink(const Fd& directory, const std::string& name, const std::string& path);
  void sync_directory(const Fd& directory, const std::string& path) const;

  std::filesystem::path root_path_;
  Fd root_;
  Step step_;
};

/// "/var/db" of "/var/db/adit"; "" of "/var".
std::string parent_of(const std::string& path);
/// Throws std::invalid_argument unless it is absolute, with no empty, "." or ".." name in it.
void require_plain(const std::string& path);

}  // namespace adit::home
