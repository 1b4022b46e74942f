// The relay when there are very many connections, or no descriptors for any.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "daemon/relay.h"
#include "tests/daemon/relay_lab.h"

namespace adit::daemon {
namespace {

class RelayOfMany : public RelayLab {
 public:
  using RelayLab::connect_to;

 protected:
  /// Each test may take what it wants: others must not feel it.
  static int in_child(const std::function<bool()>& test) {
    const pid_t child = ::fork();
    if (child == 0) _exit(test() && !HasFailure() ? 0 : 1);
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
  }
  static void limit_descriptors(rlim_t most) {
    const rlimit limit{most, most};
    check_call("limit descriptors", ::setrlimit(RLIMIT_NOFILE, &limit));
  }
  static std::vector<Fd> take_all_descriptors() {
    std::vector<Fd> taken;
    for (;;) {
      Fd fd(::open("/dev/null", O_RDONLY));
      if (!fd) return taken;
      taken.push_back(std::move(fd));
    }
  }
};

/// The clients of a process of its own: each says its number and hears it again.  Then they wait for a byte on `done`.
bool talk_at_once(size_t many, const Endpoint& listen, const Fd& done) {
  raise_descriptor_limit();
  std::vector<Fd> clients;
  while (clients.size() < many) {
    clients.push_back(RelayOfMany::connect_to(listen));
    const uint32_t number = static_cast<uint32_t>(clients.size());
    if (::send(clients.back().get(), &number, sizeof number, MSG_NOSIGNAL) != sizeof number) return false;
  }
  for (uint32_t number = 1; number <= many; ++number) {
    uint32_t heard = 0;
    if (::recv(clients[number - 1].get(), &heard, sizeof heard, MSG_WAITALL) != sizeof heard) return false;
    if (heard != number) return false;
  }
  char byte;
  return ::read(done.get(), &byte, 1) == 0;
}

TEST_F(RelayOfMany, FiveThousandConnectionsAtOnceEachWithItsOwnBytes) {
  constexpr size_t kMany = 5000;
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  if (raise_descriptor_limit() < 3 * kMany + 100) GTEST_SKIP() << "too few descriptors are allowed";
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd done(ends[0]);
  Fd still_on(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    { const Fd closed = std::move(still_on); }
    _exit(talk_at_once(kMany, at("127.0.0.1:8000"), done) ? 0 : 1);
  }
  std::vector<Fd> served;
  while (served.size() < kMany && !HasFailure()) served.push_back(serve(service).socket);
  EXPECT_EQ(stats().flows, kMany);
  for (const Fd& each : served) send(each, receive(each, sizeof(uint32_t)));
  { const Fd closed = std::move(still_on); }
  int status = -1;
  EXPECT_TRUE(until([&] { return ::waitpid(child, &status, WNOHANG) == child; }));
  EXPECT_EQ(status, 0);
  served.clear();
  EXPECT_TRUE(until([&] { return stats().flows == 0; }));
  EXPECT_EQ(stats().flows_opened, kMany);
  EXPECT_EQ(stats().bytes_in, kMany * sizeof(uint32_t));
  EXPECT_EQ(stats().bytes_out, kMany * sizeof(uint32_t));
  EXPECT_EQ(stats().drops.total(), 0u);
}

TEST_F(RelayOfMany, AnIdleConnectionTakesLessThanAKibibyte) { EXPECT_LE(Relay::bytes_per_connection(), 1024u); }

TEST_F(RelayOfMany, WithoutDescriptorsClientsAreRefusedAtOnceUntilThereAreSomeAgain) {
  EXPECT_EQ(in_child([this] {
              limit_descriptors(300);
              const Fd service = listen_tcp(at("127.0.0.2:9000"));
              start(rule());
              std::vector<Fd> clients;
              for (int i = 0; i < 3; ++i) {
                clients.emplace_back(check_call("socket", ::socket(AF_INET, SOCK_STREAM, 0)));
              }
              std::vector<Fd> taken = take_all_descriptors();
              sockaddr_storage address{};
              const socklen_t size = to_sockaddr(at("127.0.0.1:8000"), address);
              for (const Fd& client : clients) {
                check_call("connect", ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size));
                EXPECT_EQ(ending(client), "reset");
              }
              EXPECT_EQ(stats().drops[Drop::kNoDescriptor], 3u);
              taken.clear();
              const Ends ends = join(service);
              send(ends.client, "x");
              EXPECT_EQ(receive(ends.service, 1), "x");
              return true;
            }),
            0);
}

TEST_F(RelayOfMany, ConnectionsLeaveDescriptorsToTheRestOfTheGateway) {
  EXPECT_EQ(in_child([this] {
              limit_descriptors(100);
              start(rule());
              const Fd client = connect_to(at("127.0.0.1:8000"));
              std::vector<Fd> taken = take_all_descriptors();
              taken.resize(taken.size() - 30);
              EXPECT_EQ(ending(client), "reset");
              EXPECT_EQ(stats().drops[Drop::kNoDescriptor], 1u);
              EXPECT_EQ(stats().drops.total(), 1u);
              return true;
            }),
            0);
}

TEST_F(RelayOfMany, WithoutEvenTheSpareDescriptorTheListenerRestsAndDoesNotSpin) {
  EXPECT_EQ(in_child([this] {
              const Fd service = listen_tcp(at("127.0.0.2:9000"));
              start(rule());
              const Fd client = connect_to(at("127.0.0.1:8000"));
              // Only standard input has a number that is allowed, so that giving one up does not help.
              rlimit before{};
              ::getrlimit(RLIMIT_NOFILE, &before);
              const rlimit none{1, before.rlim_max};
              check_call("limit descriptors", ::setrlimit(RLIMIT_NOFILE, &none));
              // It is asleep although a client waits.
              pollfd loops{uv_backend_fd(loop.raw()), POLLIN, 0};
              EXPECT_TRUE(until([&] { return ::poll(&loops, 1, 20) == 0; }));
              EXPECT_EQ(stats().flows, 0u);
              check_call("limit descriptors", ::setrlimit(RLIMIT_NOFILE, &before));
              EXPECT_TRUE(serve(service).socket);
              return true;
            }),
            0);
}

}  // namespace
}  // namespace adit::daemon
