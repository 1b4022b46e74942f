// The status page's HTTP server, on a thread of its own: whatever its clients do, packets do not wait for them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/loop.h"
#include "daemon/status_site.h"
#include "daemon/status_source.h"
#include "net/addr.h"

namespace adit::daemon {

/// Bounded: so many connections at once, each with so much memory beside the answer, which those who get the same one
/// share, and each closed after so long a silence.
inline constexpr unsigned kMostHttpClients = 16;
inline constexpr size_t kHttpClientMemory = 16384;
inline constexpr unsigned kHttpPatience = 10;  // seconds

class StatusServer {
 public:
  /// `take` is called on `loop`.  Throws AdvisedError "bind tcp ADDRESS: reason (advice)"; std::runtime_error.
  StatusServer(Loop& loop, const Endpoint& listen, std::string version, std::function<Status()> take);
  ~StatusServer();  // on the loop; who waits for an answer gets none
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

  [[nodiscard]] const Endpoint& listen() const noexcept { return listen_; }

 private:
  class Http;  // Boost.Beast's side

  const Endpoint listen_;
  StatusSource source_;
  StatusSite site_;  // the thread's
  std::unique_ptr<Http> http_;
};

}  // namespace adit::daemon
