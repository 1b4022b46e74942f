// The user that a gateway is to run as, when root has started it for another.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace adit::daemon {

struct User {
  std::string name;
  uid_t uid;
  gid_t gid;
};

/// Of the name given; nothing when it is empty, or who this process is already.  Throws std::system_error or
/// std::runtime_error when there is no such user, or it cannot be had: only root may become another.
std::optional<User> user_to_become(const std::string& name);

/// Whose a gateway's files are to be when root makes them: that of adit's service, if there is one.
std::optional<User> service_user();

/// As long as it lives, files are opened and made as that user would, and the way back is open.  No user: nothing
/// happens.  While there is one thread.
class ActingAs {
 public:
  /// Throws std::system_error.
  explicit ActingAs(const std::optional<User>& user);
  ~ActingAs();
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;

 private:
  bool acts_;
  gid_t group_;                // from before, as are
  std::vector<gid_t> groups_;  // these
};

/// For good, with all of the process's threads.  Throws std::system_error.
void become(const User& user);

/// Makes the folder of control sockets a place where the user may make files of its own, without being able to touch
/// others': it belongs to root and to the user's group, and is sticky.  As root.  Throws std::system_error.
void share_directory(const std::string& directory, const User& user);

}  // namespace adit::daemon
