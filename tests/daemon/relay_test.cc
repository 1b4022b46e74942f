#include "daemon/relay.h"

#include <netinet/tcp.h>

#include "net/clock.h"
#include "tests/daemon/relay_lab.h"

namespace adit::daemon {
namespace {

using RelayTest = RelayLab;

/// Bytes that tell where they are.
std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

int option_of(const Fd& fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd.get(), level, option, &value, &size);
  return value;
}

TEST_F(RelayTest, BytesGoBothWaysAndTheServiceSeesTheTunnelAddress) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  const Fd client = connect_to(at("127.0.0.1:8000"));
  const Accepted served = serve(service);
  EXPECT_EQ(served.client.ip, *Ip::parse("127.0.0.5"));
  send(client, "hello");
  EXPECT_EQ(receive(served.socket, 5), "hello");
  send(served.socket, "welcome");
  EXPECT_EQ(receive(client, 7), "welcome");
  EXPECT_EQ(stats().flows, 1u);
  EXPECT_EQ(stats().flows_opened, 1u);
  EXPECT_EQ(stats().bytes_in, 5u);
  EXPECT_EQ(stats().bytes_out, 7u);
  EXPECT_EQ(stats().drops.total(), 0u);
}

TEST_F(RelayTest, AServiceThatSpeaksFirstIsHeard) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  const Ends ends = join(service);
  send(ends.service, "220 ready");
  EXPECT_EQ(receive(ends.client, 9), "220 ready");
}

TEST_F(RelayTest, BothIpVersionsListenOnOnePortAndLeadToOneService) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  RelayRule both = rule("0.0.0.0:8000");
  both.rule.listeners.push_back({at("[::]:8000"), at("127.0.0.2:9000")});
  start(both);
  for (const char* address : {"127.0.0.1:8000", "127.0.0.7:8000", "[::1]:8000"}) {
    const Ends ends = join(service, at(address));
    send(ends.client, "x");
    EXPECT_EQ(receive(ends.service, 1), "x") << address;
  }
}

TEST_F(RelayTest, AServiceMayBeOfTheOtherIpVersion) {
  const Fd service = listen_tcp(at("[::1]:9000"));
  start(rule("127.0.0.1:8000", "[::1]:9000"));
  const Ends ends = join(service);
  send(ends.client, "x");
  EXPECT_EQ(receive(ends.service, 1), "x");
}

TEST_F(RelayTest, EveryByteArrivesBothWaysAtOnce) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  const Ends ends = join(service);
  const std::string bytes = pattern(10 << 20);
  struct Way {
    const Fd& from;
    const Fd& to;
    size_t sent = 0;
    std::string got;
  };
  std::vector<Way> ways = {{ends.client, ends.service, 0, {}}, {ends.service, ends.client, 0, {}}};
  std::string chunk(30'000, '\0');
  EXPECT_TRUE(until([&] {
    for (Way& way : ways) {
      const ssize_t sent = ::send(way.from.get(), bytes.data() + way.sent, bytes.size() - way.sent, MSG_DONTWAIT);
      if (sent > 0) way.sent += static_cast<size_t>(sent);
      const ssize_t got = ::recv(way.to.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
      if (got > 0) way.got.append(chunk, 0, static_cast<size_t>(got));
    }
    return ways[0].got.size() == bytes.size() && ways[1].got.size() == bytes.size();
  }));
  EXPECT_TRUE(ways[0].got == bytes);
  EXPECT_TRUE(ways[1].got == bytes);
  EXPECT_EQ(stats().bytes_in, bytes.size());
  EXPECT_EQ(stats().bytes_out, bytes.size());
}

TEST_F(RelayTest, WhileTheReaderSleepsTheWriterWaitsAndNothingIsLost) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  const int small = 65536;
  ::setsockopt(service.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  start(rule());
  const Ends ends = join(service);
  const std::string bytes = pattern(64 << 20);
  size_t sent = 0;
  int idle = 0;
  EXPECT_TRUE(until([&] {  // until nobody takes any more
    const ssize_t count = ::send(ends.client.get(), bytes.data() + sent, bytes.size() - sent, MSG_DONTWAIT);
    if (count > 0) sent += static_cast<size_t>(count);
    idle = count > 0 ? 0 : idle + 1;
    return idle > 200;
  }));
  ASSERT_LT(sent, bytes.size());
  // The rest waits with the client: the relay has not read it.
  const uint64_t read = stats().bytes_in;
  EXPECT_TRUE(receive(ends.service, sent) == bytes.substr(0, sent));
  EXPECT_EQ(stats().bytes_in, sent);
  EXPECT_LT(read, sent);
}

TEST_F(RelayTest, AnEndPassesThroughEachWayByItself) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  for (const bool client_first : {true, false}) {
    const Ends ends = join(service);
    const Fd& first = client_first ? ends.client : ends.service;
    const Fd& second = client_first ? ends.service : ends.client;
    send(first, "that is all");
    ::shutdown(first.get(), SHUT_WR);
    EXPECT_EQ(receive(second, 11), "that is all");
    EXPECT_EQ(ending(second), "end");
    send(second, "but I go on");
    EXPECT_EQ(receive(first, 11), "but I go on");
    EXPECT_EQ(stats().flows, 1u);
    ::shutdown(second.get(), SHUT_WR);
    EXPECT_EQ(ending(first), "end");
    EXPECT_TRUE(until([&] { return stats().flows == 0; }));
  }
}

TEST_F(RelayTest, AnEndComesBehindAllThatWaits) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  const Ends ends = join(service);
  const std::string bytes = pattern(8 << 20);
  size_t sent = 0;
  std::string got;
  EXPECT_TRUE(until([&] {
    const ssize_t count = ::send(ends.client.get(), bytes.data() + sent, bytes.size() - sent, MSG_DONTWAIT);
    if (count > 0) sent += static_cast<size_t>(count);
    if (sent < bytes.size() && count <= 0) got += receive(ends.service, 1000);
    return sent == bytes.size();
  }));
  ::shutdown(ends.client.get(), SHUT_WR);
  got += receive(ends.service, bytes.size() - got.size());
  EXPECT_TRUE(got == bytes);
  EXPECT_EQ(ending(ends.service), "end");
}

TEST_F(RelayTest, AResetPassesThroughEachWay) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  for (const bool by_client : {true, false}) {
    Ends ends = join(service);
    send(ends.client, "x");
    EXPECT_EQ(receive(ends.service, 1), "x");
    Fd& first = by_client ? ends.client : ends.service;
    const Fd& second = by_client ? ends.service : ends.client;
    reset_tcp(first);
    { const Fd closed = std::move(first); }
    EXPECT_EQ(ending(second), "reset");
    EXPECT_TRUE(until([&] { return stats().flows == 0; }));
  }
}

TEST_F(RelayTest, AServiceThatIsNotThereResetsTheClientAndIsCounted) {
  start(rule());
  const Fd client = connect_to(at("127.0.0.1:8000"));
  EXPECT_EQ(ending(client), "reset");
  EXPECT_EQ(stats().drops[Drop::kServiceRefused], 1u);
  EXPECT_EQ(stats().flows, 0u);
}

TEST_F(RelayTest, AServiceWithoutARouteResetsTheClientAndIsCounted) {
  start(rule("127.0.0.1:8000", "192.0.2.1:9000"));
  EXPECT_EQ(ending(connect_to(at("127.0.0.1:8000"))), "reset");
  EXPECT_EQ(stats().drops[Drop::kServiceUnreachable], 1u);
}

TEST_F(RelayTest, AServiceThatIsSilentResetsTheClientAfterTheConnectTimeout) {
  // Its queue of one is full: the kernel answers no more.
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  ASSERT_EQ(::listen(service.get(), 0), 0);
  const Fd filler = connect_to(at("127.0.0.2:9000"));
  RelayRule impatient = rule();
  impatient.connect_timeout = milliseconds(200);
  start(impatient);
  const Time begin = read_clock().mono;
  const Fd client = connect_to(at("127.0.0.1:8000"));
  send(client, "are you there?");
  EXPECT_EQ(ending(client), "reset");
  EXPECT_GE(read_clock().mono - begin, milliseconds(200));
  EXPECT_EQ(stats().drops[Drop::kServiceTimeout], 1u);
  EXPECT_EQ(stats().flows, 0u);
}

TEST_F(RelayTest, AServiceWithoutATunnelAddressOfItsVersionIsCounted) {
  RelaySettings without = settings({rule("127.0.0.1:8000", "[::1]:9000")});
  without.our_v6.reset();
  relay.emplace(loop, without);
  EXPECT_EQ(ending(connect_to(at("127.0.0.1:8000"))), "reset");
  EXPECT_EQ(stats().drops[Drop::kNoAddress], 1u);
  RelaySettings elsewhere = settings({rule()});
  elsewhere.our_v4 = Ip::parse("192.0.2.9");
  relay.reset();
  relay.emplace(loop, elsewhere);
  EXPECT_EQ(ending(connect_to(at("127.0.0.1:8000"))), "reset");
  EXPECT_EQ(stats().drops[Drop::kNoAddress], 1u);
}

TEST_F(RelayTest, SilenceEndsAConnectionAndABytePutsThatOff) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  RelayRule brief = rule();
  brief.rule.idle_timeout = milliseconds(300);
  start(brief);
  const Ends idle = join(service);
  const Ends busy = join(service);
  const Time begin = read_clock().mono;
  bool ended = false;
  EXPECT_TRUE(until([&] {
    char byte = 'x';
    ::send(busy.client.get(), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    ended = ::recv(idle.client.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
    return ended;
  }));
  EXPECT_GE(read_clock().mono - begin, milliseconds(300));
  EXPECT_EQ(ending(idle.service), "reset");
  EXPECT_EQ(stats().flows, 1u);
}

TEST_F(RelayTest, BothSocketsAreQuickAndLookForADeadPeer) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  const Fd listener = listen_tcp(at("127.0.0.1:8000"));
  const Fd client = connect_to(at("127.0.0.1:8000"));
  const Accepted accepted = accept_tcp(listener.get());
  const Fd outgoing = connect_tcp(*Ip::parse("127.0.0.5"), at("127.0.0.2:9000"), "");
  for (const Fd* fd : {&accepted.socket, &outgoing}) {
    EXPECT_EQ(option_of(*fd, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(option_of(*fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  }
}

TEST_F(RelayTest, TheProxyHeaderComesBeforeTheFirstByte) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  for (const auto version : {config::ProxyProtocol::kV1, config::ProxyProtocol::kV2}) {
    relay.reset();
    RelayRule with_header = rule("0.0.0.0:8000");
    with_header.proxy_protocol = version;
    start(with_header);
    const Fd client = connect_to(at("127.0.0.3:8000"), "127.0.0.9");
    send(client, "GET /");
    const Endpoint from = local_of(client.get());
    const Accepted served = serve(service);
    std::string expected = "PROXY TCP4 127.0.0.9 127.0.0.3 " + std::to_string(from.port) + " 8000\r\n";
    if (version == config::ProxyProtocol::kV2) {
      expected = {"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x09\x7f\0\0\x03", 24};
      expected += {static_cast<char>(from.port >> 8), static_cast<char>(from.port & 0xff), '\x1f', '\x40'};
    }
    expected += "GET /";
    EXPECT_EQ(receive(served.socket, expected.size()), expected);
    EXPECT_EQ(stats().bytes_in, 5u) << "the header is not the client's";
  }
}

TEST_F(RelayTest, WhoIsNotInTheTableIsResetAndCounted) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  RelayRule narrow = rule();
  narrow.rule.from.emplace();
  narrow.rule.from->set(*Prefix::parse("127.0.0.0/8"), true);
  narrow.rule.from->set(*Prefix::parse("127.0.0.9"), false);
  start(narrow);
  EXPECT_EQ(ending(connect_to(at("127.0.0.1:8000"), "127.0.0.9")), "reset");
  EXPECT_EQ(stats().drops[Drop::kNotAllowed], 1u);
  const Ends ends = join(service);
  EXPECT_EQ(stats().flows, 1u);
}

TEST_F(RelayTest, LimitsHoldForTheRuleAndForEachSourceAndPlacesComeFreeAgain) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  RelayRule limited = rule();
  limited.rule.max_flows = 3;
  limited.rule.max_flows_per_source = 2;
  start(limited);
  std::vector<Fd> open;
  for (const char* from : {"127.0.0.11", "127.0.0.11", "127.0.0.12"}) {
    open.push_back(connect_to(at("127.0.0.1:8000"), from));
    open.push_back(serve(service).socket);
    if (open.size() == 4) {
      EXPECT_EQ(ending(connect_to(at("127.0.0.1:8000"), "127.0.0.11")), "reset");
      EXPECT_EQ(stats().drops[Drop::kSourceFlowsFull], 1u);
    }
  }
  EXPECT_EQ(ending(connect_to(at("127.0.0.1:8000"), "127.0.0.13")), "reset");
  EXPECT_EQ(stats().drops[Drop::kFlowTableFull], 1u);
  open.erase(open.begin(), open.begin() + 2);
  EXPECT_TRUE(until([&] { return stats().flows == 2; }));
  const Fd client = connect_to(at("127.0.0.1:8000"), "127.0.0.11");
  EXPECT_TRUE(serve(service).socket);
}

TEST_F(RelayTest, ASourceOpensOnlySoManyASecond) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  RelayRule limited = rule();
  limited.rule.max_new_flows_per_source = 1;
  start(limited);
  const Fd first = connect_to(at("127.0.0.1:8000"));
  EXPECT_EQ(ending(connect_to(at("127.0.0.1:8000"))), "reset");
  EXPECT_EQ(stats().drops[Drop::kSourceRate], 1u);
  const Fd other = connect_to(at("127.0.0.1:8000"), "127.0.0.9");
  EXPECT_TRUE(until([&] { return stats().flows == 2; }));
}

TEST_F(RelayTest, APortThatIsTakenIsNamedInTheError) {
  const Fd taken = listen_tcp(at("127.0.0.1:8000"));
  try {
    start(rule());
    ADD_FAILURE() << "no error";
  } catch (const std::system_error& error) {
    EXPECT_STREQ(error.what(), "bind tcp 127.0.0.1:8000: Address already in use (another program has this port)");
  }
}

TEST_F(RelayTest, APortWhoseConnectionsAreStillEndingCanBeListenedOnAgain) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  {
    const Ends ends = join(service);
    ::shutdown(ends.service.get(), SHUT_WR);  // so that it is the relay's socket that stays for a while
    EXPECT_EQ(ending(ends.client), "end");
  }
  EXPECT_TRUE(until([&] { return stats().flows == 0; }));
  relay.reset();
  EXPECT_NO_THROW(start(rule()));
}

TEST_F(RelayTest, OtherLimitsLeaveConnectionsAlone) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  const Ends ends = join(service);
  RelayRule narrower = rule();
  narrower.rule.max_flows = 1;
  relay->reconfigure(settings({narrower}));
  EXPECT_EQ(ending(connect_to(at("127.0.0.1:8000"))), "reset");
  send(ends.client, "still here");
  EXPECT_EQ(receive(ends.service, 10), "still here");
  EXPECT_EQ(stats().flows, 1u);
  EXPECT_EQ(stats().flows_opened, 1u);
  ::shutdown(ends.client.get(), SHUT_WR);
  ::shutdown(ends.service.get(), SHUT_WR);
  EXPECT_TRUE(until([&] { return stats().flows == 0; }));
}

TEST_F(RelayTest, AShorterIdleTimeoutHoldsForConnectionsThatAreThere) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  const Ends ends = join(service);
  RelayRule brief = rule();
  brief.rule.idle_timeout = milliseconds(100);
  relay->reconfigure(settings({brief}));
  EXPECT_EQ(ending(ends.client), "reset");
}

TEST_F(RelayTest, WhoMayNoLongerConnectIsReset) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  const Ends ends = join(service);
  RelayRule exclusive = rule();
  exclusive.rule.from.emplace();
  exclusive.rule.from->set(*Prefix::parse("192.0.2.0/24"), true);
  relay->reconfigure(settings({exclusive}));
  EXPECT_EQ(ending(ends.client), "reset");
  EXPECT_EQ(stats().flows, 0u);
}

TEST_F(RelayTest, ConnectionsFromAnAddressThatIsNoLongerOursAreReset) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  start(rule());
  const Ends before = join(service);
  RelaySettings moved = settings({rule()});
  moved.our_v4 = Ip::parse("127.0.0.6");
  relay->reconfigure(moved);
  EXPECT_EQ(ending(before.client), "reset");
  const Ends after = join(service);
  send(after.client, "x");
  EXPECT_EQ(receive(after.service, 1), "x");
}

TEST_F(RelayTest, ConnectionsOfARuleThatIsGoneAreResetAndNobodyListens) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  relay.emplace(loop, settings({rule(), rule("127.0.0.1:8001")}));
  const Ends gone = join(service);
  const Ends stays = join(service, at("127.0.0.1:8001"));
  relay->reconfigure(settings({rule("127.0.0.1:8001")}));
  EXPECT_EQ(ending(gone.client), "reset");
  EXPECT_EQ(ending(gone.service), "reset");
  EXPECT_THROW(connect_to(at("127.0.0.1:8000")), std::system_error);
  send(stays.client, "x");
  EXPECT_EQ(receive(stays.service, 1), "x");
  EXPECT_EQ(stats().flows, 1u);
}

TEST_F(RelayTest, AnotherServiceTakesOverTheListenerAndNotItsConnections) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  const Fd other = listen_tcp(at("127.0.0.2:9001"));
  start(rule());
  const Ends before = join(service);
  relay->reconfigure(settings({rule("127.0.0.1:8000", "127.0.0.2:9001")}));
  EXPECT_EQ(ending(before.client), "reset");
  const Ends after = join(other);
  send(after.client, "x");
  EXPECT_EQ(receive(after.service, 1), "x");
}

TEST_F(RelayTest, RulesThatCannotBeHadChangeNothing) {
  const Fd service = listen_tcp(at("127.0.0.2:9000"));
  const Fd taken = listen_tcp(at("127.0.0.1:8001"));
  start(rule());
  const Ends ends = join(service);
  EXPECT_THROW(relay->reconfigure(settings({rule("127.0.0.1:8002"), rule("127.0.0.1:8001")})), std::system_error);
  send(ends.client, "x");
  EXPECT_EQ(receive(ends.service, 1), "x");
  const Ends more = join(service);
  EXPECT_EQ(stats().flows, 2u);
}

}  // namespace
}  // namespace adit::daemon
