// The load of bench/forward.py: many players, each with an address and a port of its own, and the service they ask.
//
//     adit_players echo PORT
//     adit_players play INTERFACE ITS_GATEWAYS_MAC FIRST_PLAYER TARGET PORT FLOWS RATE WARM_UP SECONDS
//
// How it works.  Players live outside this machine's IP stack: their datagrams are written to the cable whole, and
// taken off it by a packet socket.  So a system call carries datagrams of many players, nothing is looked up for them,
// and none of it wakes the generator, which sleeps between its ticks: the kernel notes when an answer arrived, and that
// time is what counts.  What is left costs a few percent of what is measured.  The interface has no address; its
// answers go to a MAC that is not its own.
//
// Datagram n is player n % FLOWS's, and is due n / RATE seconds after the start.  Those of the first WARM_UP seconds
// are sent but not counted.  At the end one line of JSON is printed.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "net/fd.h"

namespace {

constexpr size_t kBatch = 64;
constexpr size_t kPayload = 120;
constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kTick = 100'000;          // sends are no closer together than this, in ns
constexpr uint64_t kDrain = 1'000'000;       // answers are collected this often, in ns
constexpr uint64_t kPatience = kSecond / 2;  // what has not come back so long after the last send is lost
constexpr uint64_t kLate = 5'000'000;        // sent so long after it was due, it is the generator that is too slow
constexpr uint16_t kFirstPort = 20'000;
constexpr int kBuffer = 64 << 20;

uint64_t now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * kSecond + static_cast<uint64_t>(time.tv_nsec);
}

void sleep_until(uint64_t time) {
  const timespec until{static_cast<time_t>(time / kSecond), static_cast<long>(time % kSecond)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) continue;
}

template <typename Option>
void set_option(int fd, int level, int name, const Option& value) {
  adit::check_call("setsockopt", ::setsockopt(fd, level, name, &value, sizeof value));
}

// ---- the service

void echo(uint16_t port) {
  const adit::Fd fd(adit::check_call("socket", ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20);
  set_option(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20);
  const sockaddr_in local{AF_INET, htons(port), {INADDR_ANY}, {}};
  adit::check_call("bind", ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local));

  std::array<std::array<char, 2048>, kBatch> payloads;
  std::array<sockaddr_in, kBatch> remotes;
  std::array<iovec, kBatch> pieces;
  std::array<mmsghdr, kBatch> messages;
  while (true) {
    for (size_t i = 0; i < kBatch; ++i) {
      pieces[i] = {payloads[i].data(), payloads[i].size()};
      messages[i] = {{&remotes[i], sizeof remotes[i], &pieces[i], 1, nullptr, 0, 0}, 0};
    }
    const int received = ::recvmmsg(fd.get(), messages.data(), kBatch, MSG_WAITFORONE, nullptr);
    for (int i = 0; i < received; ++i)
      pieces[static_cast<size_t>(i)].iov_len = messages[static_cast<size_t>(i)].msg_len;
    for (int sent = 0; sent < received;) {
      const int more =
          ::sendmmsg(fd.get(), &messages[static_cast<size_t>(sent)], static_cast<unsigned>(received - sent), 0);
      sent += std::max(more, 1);  // one that cannot be sent is passed over
    }
  }
}

// ---- the players

struct Load {
  std::string interface;
  std::array<uint8_t, 6> gateway_mac;
  uint32_t first_player;  // addresses in host order
  uint32_t target;
  uint16_t port;
  uint64_t flows;
  double rate;
  double warm_up;
  double seconds;
};

/// What an echoed payload begins with.
struct Mark {
  uint64_t number;
  uint64_t sent_at;  // CLOCK_REALTIME, as the kernel's notes of arrivals
};

struct Frame {
  iphdr ip;
  udphdr udp;
  std::array<uint16_t, kPayload / 2> payload;
};
static_assert(sizeof(Frame) == 28 + kPayload);

uint64_t sum_words(const void* bytes, size_t size, uint64_t sum = 0) {
  for (size_t at = 0; at + 1 < size; at += 2) {
    uint16_t word;
    std::memcpy(&word, static_cast<const char*>(bytes) + at, sizeof word);
    sum += word;
  }
  return sum;
}

uint16_t fold(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

uint32_t address_of(const Load& load, uint64_t player) { return load.first_player + static_cast<uint32_t>(player); }
uint16_t port_of(uint64_t player) { return static_cast<uint16_t>(kFirstPort + player % 40'000); }

class Players {
 public:
  explicit Players(const Load& load)
      : load_(load),
        fd_(adit::check_call("packet socket", ::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))),
        uncounted_(static_cast<uint64_t>(load.rate * load.warm_up)),
        total_(uncounted_ + static_cast<uint64_t>(load.rate * load.seconds)),
        is_back_(total_),
        newest_(load.flows) {
    set_option(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, kBuffer);
    set_option(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, kBuffer);
    set_option(fd_.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
    gateway_.sll_family = AF_PACKET;
    gateway_.sll_protocol = htons(ETH_P_IP);
    gateway_.sll_ifindex = static_cast<int>(::if_nametoindex(load.interface.c_str()));
    adit::check_call("bind", ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&gateway_), sizeof gateway_));
    gateway_.sll_halen = static_cast<uint8_t>(load.gateway_mac.size());
    std::ranges::copy(load.gateway_mac, std::begin(gateway_.sll_addr));
    round_trips_.reserve(total_ - uncounted_);
  }

  void play() {
    const uint64_t start = now(CLOCK_MONOTONIC);
    uint64_t next_drain = start;
    while (sent_ < total_) {
      const uint64_t time = now(CLOCK_MONOTONIC);
      const auto due =
          std::min(total_, static_cast<uint64_t>(static_cast<double>(time - start) / 1e9 * load_.rate) + 1);
      if (sent_ < due && time > due_at(start, sent_) + kLate && sent_ >= uncounted_)
        late_ += std::min(due - sent_, kBatch);
      while (sent_ < due && now(CLOCK_MONOTONIC) < time + kDrain) send(std::min(due - sent_, kBatch));
      if (time >= next_drain) {
        drain();
        next_drain = time + kDrain;
      }
      if (sent_ < total_) sleep_until(std::max(due_at(start, sent_), time + kTick));
    }
    for (const uint64_t end = now(CLOCK_MONOTONIC) + kPatience; now(CLOCK_MONOTONIC) < end;) {
      drain();
      sleep_until(now(CLOCK_MONOTONIC) + kDrain);
    }
  }

  void report() {
    std::ranges::sort(round_trips_);
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    std::printf("{\"sent\": %" PRIu64 ", \"returned\": %zu, \"late\": %" PRIu64 ", \"unsent\": %" PRIu64
                ", \"reordered\": %" PRIu64 ", \"duplicated\": %" PRIu64 ", \"astray\": %" PRIu64
                ", \"generator_cpu_seconds\": %.3f, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, "
                "\"max\": %.1f}\n",
                total_ - uncounted_, round_trips_.size(), late_, unsent_, reordered_, duplicated_, astray_,
                seconds(used.ru_utime) + seconds(used.ru_stime), quantile(0.5), quantile(0.9), quantile(0.99),
                quantile(0.999), quantile(1));
  }

 private:
  [[nodiscard]] uint64_t due_at(uint64_t start, uint64_t number) const {
    return start + static_cast<uint64_t>(static_cast<double>(number) / load_.rate * 1e9);
  }

  void fill(Frame& frame, uint64_t number, uint64_t time) const {
    const uint64_t player = number % load_.flows;
    frame = {};
    frame.ip.version = 4;
    frame.ip.ihl = 5;
    frame.ip.tot_len = htons(sizeof frame);
    frame.ip.frag_off = htons(IP_DF);
    frame.ip.ttl = 64;
    frame.ip.protocol = IPPROTO_UDP;
    frame.ip.saddr = htonl(address_of(load_, player));
    frame.ip.daddr = htonl(load_.target);
    frame.ip.check = fold(sum_words(&frame.ip, sizeof frame.ip));
    frame.udp = {{{htons(port_of(player)), htons(load_.port), htons(sizeof frame.udp + kPayload), 0}}};
    const Mark mark{number, time};
    std::memcpy(frame.payload.data(), &mark, sizeof mark);
    const uint64_t pseudo = sum_words(&frame.ip.saddr, 8) + htons(IPPROTO_UDP) + frame.udp.uh_ulen;
    const uint16_t checksum = fold(sum_words(&frame.udp, sizeof frame.udp + kPayload, pseudo));
    frame.udp.uh_sum = checksum == 0 ? uint16_t{0xffff} : checksum;
  }

  void send(uint64_t count) {
    const uint64_t time = now(CLOCK_REALTIME);
    for (size_t i = 0; i < count; ++i) {
      fill(frames_[i], sent_ + i, time);
      pieces_[i] = {&frames_[i], sizeof frames_[i]};
      messages_[i] = {{&gateway_, sizeof gateway_, &pieces_[i], 1, nullptr, 0, 0}, 0};
    }
    const int sent = ::sendmmsg(fd_.get(), messages_.data(), static_cast<unsigned>(count), 0);
    unsent_ += count - static_cast<uint64_t>(std::max(sent, 0));
    sent_ += count;
  }

  void drain() {
    int received = static_cast<int>(kBatch);
    while (received == static_cast<int>(kBatch)) {
      for (size_t i = 0; i < kBatch; ++i) {
        pieces_[i] = {&frames_[i], sizeof(iphdr) + sizeof(udphdr) + sizeof(Mark)};
        messages_[i] = {{nullptr, 0, &pieces_[i], 1, controls_[i].data(), controls_[i].size(), 0}, 0};
      }
      received = ::recvmmsg(fd_.get(), messages_.data(), kBatch, 0, nullptr);
      for (int i = 0; i < received; ++i) take(static_cast<size_t>(i));
    }
  }

  void take(size_t at) {
    const Frame& frame = frames_[at];
    if (frame.ip.protocol != IPPROTO_UDP || frame.udp.uh_sport != htons(load_.port)) return;
    Mark mark;
    std::memcpy(&mark, frame.payload.data(), sizeof mark);
    const uint64_t player = mark.number % load_.flows;
    if (mark.number >= sent_ || frame.ip.saddr != htonl(load_.target) ||
        frame.ip.daddr != htonl(address_of(load_, player)) || frame.udp.uh_dport != htons(port_of(player))) {
      ++astray_;
      return;
    }
    if (mark.number < uncounted_) return;
    if (is_back_[mark.number]) {
      ++duplicated_;
      return;
    }
    is_back_[mark.number] = true;
    reordered_ += mark.number < newest_[player] ? 1 : 0;
    newest_[player] = std::max(newest_[player], mark.number);
    const uint64_t elapsed = arrival(messages_[at].msg_hdr) - mark.sent_at;
    round_trips_.push_back(static_cast<uint32_t>(std::min<uint64_t>(elapsed, UINT32_MAX)));
  }

  [[nodiscard]] static uint64_t arrival(const msghdr& header) {
    const cmsghdr* control = CMSG_FIRSTHDR(&header);
    if (control == nullptr || control->cmsg_type != SCM_TIMESTAMPNS) throw std::runtime_error("no time of arrival");
    timespec time;
    std::memcpy(&time, CMSG_DATA(control), sizeof time);
    return static_cast<uint64_t>(time.tv_sec) * kSecond + static_cast<uint64_t>(time.tv_nsec);
  }

  /// Of the sorted round trips, in microseconds.
  [[nodiscard]] double quantile(double share) const {
    if (round_trips_.empty()) return 0;
    const auto at = static_cast<size_t>(share * static_cast<double>(round_trips_.size()));
    return round_trips_[std::min(at, round_trips_.size() - 1)] / 1000.0;
  }

  const Load load_;
  const adit::Fd fd_;
  sockaddr_ll gateway_{};
  const uint64_t uncounted_;
  const uint64_t total_;
  uint64_t sent_ = 0, unsent_ = 0, late_ = 0, reordered_ = 0, duplicated_ = 0, astray_ = 0;
  std::vector<bool> is_back_;          // by number
  std::vector<uint64_t> newest_;       // number that has come back, by player
  std::vector<uint32_t> round_trips_;  // in ns

  std::array<Frame, kBatch> frames_;
  std::array<iovec, kBatch> pieces_;
  std::array<mmsghdr, kBatch> messages_;
  alignas(cmsghdr) std::array<std::array<char, CMSG_SPACE(sizeof(timespec))>, kBatch> controls_;
};

// ---- the command line

template <typename Number>
Number number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::runtime_error("not a number: " + std::string(text));
  return value;
}

uint32_t address(const char* text) {
  in_addr parsed{};
  if (::inet_pton(AF_INET, text, &parsed) != 1) throw std::runtime_error("not an IPv4 address: " + std::string(text));
  return ntohl(parsed.s_addr);
}

std::array<uint8_t, 6> mac(const char* text) {
  std::array<uint8_t, 6> bytes{};
  const int found = std::sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
                                &bytes[4], &bytes[5]);
  if (found != 6) throw std::runtime_error("not a MAC: " + std::string(text));
  return bytes;
}

void play(char** words) {
  const Load load{words[0],
                  mac(words[1]),
                  address(words[2]),
                  address(words[3]),
                  number<uint16_t>(words[4]),
                  number<uint64_t>(words[5]),
                  number<double>(words[6]),
                  number<double>(words[7]),
                  number<double>(words[8])};
  if (load.flows == 0 || load.rate <= 0) throw std::runtime_error("there must be players, and they must play");
  // A stand-in for other machines: nobody's work here delays it.
  ::setpriority(PRIO_PROCESS, 0, -20);
  ::prctl(PR_SET_TIMERSLACK, 1);
  Players players(load);
  players.play();
  players.report();
}

}  // namespace

int main(int count, char** words) {
  try {
    const std::string_view mode = count > 1 ? words[1] : "";
    if (mode == "echo" && count == 3)
      echo(number<uint16_t>(words[2]));
    else if (mode == "play" && count == 11)
      play(words + 2);
    else
      throw std::runtime_error("see the head of bench/players.cc");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "adit_players: %s\n", error.what());
    return 1;
  }
  return 0;
}
