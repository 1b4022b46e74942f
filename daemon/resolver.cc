#include "daemon/resolver.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>

#include "daemon/log.h"
#include "net/sockaddr.h"

namespace adit::daemon {

/// What a thread writes into the pipe, in one piece.
struct Resolver::Answer {
  uint64_t number;  // of the name
  int error;        // of getaddrinfo, 0 for none
  sockaddr_storage address;
};

namespace {

/// The first address of a name that this machine can reach, IPv4 or IPv6.
int look_up(const config::PeerEndpoint& name, sockaddr_storage& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* results = nullptr;
  const int error = getaddrinfo(name.host.c_str(), std::to_string(name.port).c_str(), &hints, &results);
  if (error != 0) return error;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(results, &freeaddrinfo);
  std::memcpy(&address, results->ai_addr, results->ai_addrlen);
  return 0;
}

}  // namespace

/// What may fail is done here: add() comes when the gateway cannot go back.
Resolver::Resolver(Loop& loop, Ended ended) : loop_(loop), ended_(std::move(ended)) {
  int ends[2];
  check_call("pipe", ::pipe2(ends, O_CLOEXEC));
  answers_ = Fd(ends[0]);
  answer_to_ = Fd(ends[1]);
  loop_.on_readable(answers_.get(), [this] { on_answer(); });
}

Resolver::~Resolver() { loop_.unwatch(answers_.get()); }

void Resolver::add(const crypto::PublicKey& peer, const config::PeerEndpoint& name, Time now) {
  start(names_.emplace_back(Name{++names_added_, peer, name}), now);
}

void Resolver::remove(const crypto::PublicKey& peer) noexcept {
  std::erase_if(names_, [&](const Name& name) { return name.peer == peer; });
}

void Resolver::look_again(const crypto::PublicKey& peer, Time now) {
  for (Name& name : names_) {
    if (name.peer == peer && !name.under_way && now >= name.next) start(name, now);
  }
}

void Resolver::tick(Time now) {
  for (Name& name : names_) {
    if (name.wanted && !name.under_way && now >= name.next) start(name, now);
  }
}

Time Resolver::next_deadline() const noexcept {
  Time earliest = kNever;
  for (const Name& name : names_) {
    if (name.wanted && !name.under_way) earliest = std::min(earliest, name.next);
  }
  return earliest;
}

void Resolver::start(Name& name, Time now) {
  static_assert(std::is_trivially_copyable_v<Answer> && sizeof(Answer) <= PIPE_BUF, "a pipe keeps it in one piece");
  name.next = now + kInterval;
  try {
    Fd to(check_call("look up " + name.name.host, ::fcntl(answer_to_.get(), F_DUPFD_CLOEXEC, 0)));
    std::thread([number = name.number, wanted = name.name, to = std::move(to)] {
      Answer answer{number, 0, {}};
      answer.error = look_up(wanted, answer.address);
      // Nobody reads any more when the gateway has ended meanwhile.
      [[maybe_unused]] const ssize_t written = ::write(to.get(), &answer, sizeof answer);
    }).detach();
    name.under_way = true;
  } catch (const std::system_error& error) {
    log::warn("{} (trying again in {} s)", error.what(), kInterval / seconds(1));
  }
}

void Resolver::on_answer() {
  Answer answer;
  if (::read(answers_.get(), &answer, sizeof answer) != sizeof answer) return;
  const auto name = std::ranges::find(names_, answer.number, &Name::number);
  if (name == names_.end()) return;
  name->under_way = false;
  name->wanted = answer.error != 0;
  if (!name->wanted) return ended_(name->peer, from_sockaddr(answer.address));
  const std::string why = gai_strerror(answer.error);
  log::warn("look up {}: {} (trying again in {} s)", name->name.host, why, kInterval / seconds(1));
  ended_(name->peer, {});
}

}  // namespace adit::daemon
