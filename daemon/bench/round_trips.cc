#include "daemon/bench/round_trips.h"

#include <algorithm>

#include "daemon/bench/figures.h"
#include "daemon/lab/waiting.h"
#include "net/bytes.h"
#include "net/clock.h"

namespace adit::bench {
namespace {

constexpr size_t kPoolSlots = 1024;
constexpr size_t kLargestPacket = 1500;
constexpr uint64_t kMostAtOnce = 64;  // questions between two looks at what has come back

uint64_t stamp_of(Time time) { return static_cast<uint64_t>(time.time_since_epoch().count()); }
Time time_of(uint64_t stamp) { return Time(Duration(static_cast<int64_t>(stamp))); }

}  // namespace

double Answers::loss() const {
  return sent == 0 ? 0 : 1 - static_cast<double>(round_trips.size()) / static_cast<double>(sent);
}

double Answers::rate() const { return static_cast<double>(sent) / to_seconds(sending); }

Askers::Askers(std::vector<UdpSocket> sockets, const Endpoint& echo, size_t payload)
    : pool_(kPoolSlots, kLargestPacket),
      sockets_(std::move(sockets)),
      echo_(echo),
      payload_(payload),
      batches_(sockets_.size()) {
  for (const UdpSocket& each : sockets_) fds_.push_back({each.fd(), POLLIN, 0});
}

Answers Askers::ask(double per_second, Duration time, Duration patience) {
  const auto wanted = std::max(uint64_t{1}, static_cast<uint64_t>(per_second * to_seconds(time)));
  const Duration interval(static_cast<int64_t>(1e9 / per_second));
  Answers answers;
  answers.round_trips.reserve(wanted);
  ++run_;
  const Time start = read_clock().mono;
  Time last = start;
  while (answers.sent < wanted || answers.round_trips.size() < answers.sent) {
    const Time now = read_clock().mono;
    const auto due = std::min(wanted, static_cast<uint64_t>((now - start) / interval) + 1);
    if (due > answers.sent) {
      const uint64_t count = std::min(due - answers.sent, kMostAtOnce);
      send(count, now);
      answers.sent += count;
      last = now;
    }
    if (answers.sent == wanted && now > last + patience) break;
    const bool is_late = answers.sent < due;
    const Time next = answers.sent == wanted ? last + patience : start + interval * static_cast<int64_t>(answers.sent);
    lab::wait_readable(fds_, is_late ? now : next);
    receive(answers);
  }
  answers.sending = std::max(last - start + interval, interval);
  return answers;
}

/// | run | time sent | anything |
void Askers::send(uint64_t count, Time now) {
  for (; count > 0; --count) {
    Packet packet = pool_.take();
    const Bytes bytes = packet.push_back(payload_);
    store_be64(bytes.data(), run_);
    store_be64(bytes.data() + 8, stamp_of(now));
    batches_[next_].push_back({std::move(packet), echo_, {}});
    next_ = (next_ + 1) % sockets_.size();
  }
  for (size_t i = 0; i < sockets_.size(); ++i) {
    if (batches_[i].empty()) continue;
    sockets_[i].write(batches_[i], drops_);
    batches_[i].clear();
  }
}

void Askers::receive(Answers& answers) {
  for (size_t i = 0; i < sockets_.size(); ++i) {
    if ((fds_[i].revents & POLLIN) == 0) continue;
    sockets_[i].read(pool_, kBatchSize, incoming_, drops_);
    const Time now = read_clock().mono;
    for (const Datagram& each : incoming_) {
      const ConstBytes bytes = each.packet.bytes();
      if (bytes.size() != payload_ || load_be64(bytes.data()) != run_) continue;
      answers.round_trips.push_back(now - time_of(load_be64(bytes.data() + 8)));
    }
    incoming_.clear();
  }
}

}  // namespace adit::bench
