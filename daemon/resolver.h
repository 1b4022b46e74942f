// Peers' endpoints that are written as names: looked up at the start, again while they do not answer, and never in the
// way of traffic.
//
// How it works.  A look-up is a call into the system's resolver, which may block for long; it runs on a thread of its
// own, which writes its answer into a pipe that the loop watches.  Nobody waits for such a thread: when the gateway
// ends while one is stuck, its answer finds the pipe closed.
#pragma once

#include <functional>
#include <vector>

#include "config/config.h"
#include "crypto/keys.h"
#include "daemon/loop.h"
#include "net/addr.h"
#include "net/fd.h"
#include "net/time.h"

namespace adit::daemon {

class Resolver {
 public:
  /// A look-up has ended; without an endpoint when the name was not found, which changes next_deadline() too.
  using Ended = std::function<void(const crypto::PublicKey& peer, const std::optional<Endpoint>& endpoint)>;

  /// At most one look-up per name and this long.
  static constexpr Duration kInterval = seconds(15);

  /// `ended` is called from the loop.  SIGPIPE must be ignored.
  Resolver(Loop& loop, Ended ended);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Remembers the peer's name and begins to look it up.
  void add(const crypto::PublicKey& peer, const config::PeerEndpoint& name, Time now);
  /// The peer's name, if it has one, is looked up no more; an answer that is under way is passed over.
  void remove(const crypto::PublicKey& peer) noexcept;
  /// The peer does not answer: its name is looked up again, unless that was done a moment ago.
  void look_again(const crypto::PublicKey& peer, Time now);
  /// Names that could not be found are tried again; call when next_deadline() has come.
  void tick(Time now);
  [[nodiscard]] Time next_deadline() const noexcept;

 private:
  struct Name {
    uint64_t number;  // no other has or had it
    crypto::PublicKey peer;
    config::PeerEndpoint name;
    bool under_way = false;
    bool wanted = true;  // not found yet
    Time next{};         // not to be asked before
  };
  struct Answer;
  void start(Name& name, Time now);
  void on_answer();

  Loop& loop_;
  Ended ended_;
  std::vector<Name> names_;
  uint64_t names_added_ = 0;
  Fd answers_;    // read end of the pipe
  Fd answer_to_;  // write end; threads have duplicates
};

}  // namespace adit::daemon
