// Datagrams from anywhere, at any time, in any order: everything a Tunnel does with them.
//
// The input is a program: each step is a byte that says what happens and operands behind it.  Bytes arrive raw; or a
// message that was really sent arrives again, changed here and there; or an honest peer seals an inner packet of the
// input's; or time passes.  Randomness is made repeatable, so that an input always does the same.
#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "net/ip.h"
#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

constexpr size_t kLargestDatagram = 2048;

void require(bool holds) {
  if (!holds) std::abort();
}

// A counter through ChaCha20: random enough for every protocol, and the same for every run.
uint64_t draws = 0;

void draw(void* out, size_t size) {
  const std::array<uint8_t, crypto_stream_chacha20_KEYBYTES> key{1};
  std::array<uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce;
  store_le64(nonce.data(), ++draws);
  crypto_stream_chacha20(static_cast<uint8_t*>(out), size, nonce.data(), key.data());
}

uint32_t draw_u32() {
  uint32_t value;
  draw(&value, sizeof value);
  return value;
}

const char* name_of_draw() { return "repeatable"; }

void make_randomness_repeatable() {
  static randombytes_implementation implementation = {.implementation_name = name_of_draw,
                                                      .random = draw_u32,
                                                      .stir = nullptr,
                                                      .uniform = nullptr,
                                                      .buf = draw,
                                                      .close = nullptr};
  static const bool done = randombytes_set_implementation(&implementation) == 0 && sodium_init() >= 0;
  require(done);
  draws = 0;
}

/// Reads the input from the front; zeros when it has ended.
class Input {
 public:
  explicit Input(ConstBytes bytes) : rest_(bytes) {}
  [[nodiscard]] bool ended() const { return rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) return 0;
    const uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  uint16_t u16() {
    const uint8_t high = byte();
    return static_cast<uint16_t>(high << 8 | byte());
  }
  Message bytes() {
    const ConstBytes taken = rest_.first(std::min<size_t>({u16() % kLargestDatagram, rest_.size()}));
    rest_ = rest_.subspan(taken.size());
    return {taken.begin(), taken.end()};
  }

 private:
  ConstBytes rest_;
};

/// A tunnel with three peers: a wide prefix, one inside it, and one without an endpoint.  Two have sessions.
class Story {
 public:
  explicit Story(ConstBytes bytes) : input_(bytes) {
    peers_.push_back(lone_.add_peer({"10.0.0.0/8", "fd00::/16"}));
    peers_.push_back(lone_.add_peer({"10.0.0.2/32", "fd00::2/128"}, {7}));
    peers_.push_back(lone_.add_peer({"10.3.0.0/16"}, {}, false));
    for (size_t i = 0; i < 2; ++i) {
      require(lone_.greet(peers_[i]));
      remember(peers_[i].keepalive());
    }
  }

  void run() {
    while (!input_.ended()) {
      step(input_.byte());
      check();
    }
    deliver();
    lone_.advance(seconds(100));
    lone_.sent.clear();
    check();
  }

 private:
  PaperPeer& peer() { return peers_[input_.byte() % peers_.size()]; }

  void step(uint8_t what) {
    switch (what % 12) {
      case 0:
        return arrive(input_.bytes());
      case 1:
        return mutate();
      case 2:
        return arrive_honest(peer().data(input_.bytes()));
      case 3:
        return seal_ip(peer());
      case 4:
        return arrive_honest(peer().initiation());
      case 5:
        return send(input_.bytes());
      case 6:
        return send(to_peer(input_));
      case 7:
        return pass(milliseconds(input_.u16()));
      case 8:
        return pass(seconds(input_.byte()));
      case 9:
        batching_ = true;
        return;
      case 10:
        return deliver();
      case 11:
        source_.port = input_.byte();
        return;
    }
  }

  void send(const Message& packet) {
    lone_.send({packet});
    answer();
  }

  void pass(Duration duration) {
    lone_.advance(duration);
    require(lone_.tunnel.next_deadline() > lone_.now.mono);
    answer();
  }

  static Message to_peer(Input& input) {
    const char* destinations[] = {"10.1.1.1", "10.0.0.2", "10.3.0.1", "fd00::2", "fd00:1::", "9.9.9.9"};
    const Ip ip = *Ip::parse(destinations[input.byte() % std::size(destinations)]);
    const size_t size = size_t{20} + input.byte();
    return inner_packet(ip.is_v4() ? *Ip::parse("10.0.0.1") : *Ip::parse("fd00::1"), ip, size);
  }

  /// An inner packet that is nearly right: one of ours with a byte or two changed, and padding.
  void seal_ip(PaperPeer& from) {
    Message packet = to_peer(input_);
    const size_t source = packet[0] >> 4 == 4 ? 12 : 8;
    const size_t length = packet[0] >> 4 == 4 ? 4 : 16;
    std::swap_ranges(&packet[source], &packet[source] + length, &packet[source] + length);
    packet[input_.byte() % packet.size()] ^= input_.byte();
    packet.resize(packet.size() + input_.byte() % 32);
    arrive_honest(from.data(packet));
  }

  /// What the tunnel sent is in the log too, and the peers do what peers do.
  void answer() {
    for (const Message& message : std::exchange(lone_.replies, {})) {
      remember(message);
      for (PaperPeer& each : peers_) {
        PaperPeer attempt = each;
        if (!understands(attempt, message)) continue;
        each = attempt;
        if (message[0] == 1) remember(each.response());
      }
    }
  }

  static bool understands(PaperPeer& by, const Message& message) {
    switch (message[0]) {
      case 1:
        return by.consume_initiation(message);
      case 2:
        return by.consume_response(message);
      case 3:
        return by.consume_cookie_reply(message);
    }
    return false;
  }

  void remember(const Message& message) {
    if (log_.size() < 256) log_.push_back(message);
  }

  /// A message of the log again, with bytes changed and perhaps cut; with right macs if the input says so.
  void mutate() {
    const Message& original = log_[input_.byte() % log_.size()];
    Message message = original;
    const uint8_t how = input_.byte();
    for (int i = how % 4; i > 0; --i) message[input_.u16() % message.size()] ^= input_.byte();
    if ((how & 0x10) != 0) message.resize(input_.byte() % (message.size() + 1));
    const bool is_handshake = message.size() == 148 || message.size() == 92;
    const bool is_signed = (how & 0x20) != 0 && is_handshake;
    if (is_signed) peers_[0].sign(message);
    const bool is_data = !message.empty() && message[0] == 4;
    // Only mac2 of a handshake message may differ without consequence.
    const size_t authentic = is_handshake && !is_data ? message.size() - 16 : message.size();
    const bool changed =
        message.size() != original.size() ||
        !std::equal(message.begin(), message.begin() + static_cast<ptrdiff_t>(authentic), original.begin());
    if (!changed || is_signed || batching_) return arrive(message);
    const uint64_t drops = datagram_drops();
    const auto status = lone_.tunnel.peers();
    arrive(message);
    require(datagram_drops() == drops + 1 && lone_.inner.empty() && lone_.replies.empty());
    const auto after = lone_.tunnel.peers();
    for (size_t i = 0; i < status.size(); ++i) {
      require(after[i].endpoint == status[i].endpoint && after[i].received_bytes == status[i].received_bytes);
    }
  }

  void arrive_honest(const Message& message) {
    remember(message);
    arrive(message);
  }

  void arrive(const Message& message) {
    waiting_.push_back(message);
    if (!batching_ || waiting_.size() == kBatchSize) deliver();
  }

  void deliver() {
    batching_ = false;
    const uint64_t drops = datagram_drops();
    const size_t datagrams = waiting_.size();
    lone_.receive(std::exchange(waiting_, {}), source_);
    require(datagram_drops() - drops + lone_.inner.size() <= datagrams);
    for (const Message& packet : lone_.inner) check_delivered(packet);
    answer();
  }

  /// Drops that stand for one datagram each: not those of sessions, nor of packets on their way out.
  [[nodiscard]] uint64_t datagram_drops() const {
    uint64_t count = lone_.tunnel.drops().total();
    for (const Drop other : {Drop::kUnconfirmed, Drop::kNoRoute, Drop::kNoEndpoint, Drop::kStageFull,
                             Drop::kStagePurged, Drop::kNoBuffer}) {
      count -= lone_.drops(other);
    }
    return count;
  }

  static void check_delivered(const Message& packet) {
    require(ip_length(packet) == packet.size());
    const std::optional<Ip> source = source_of(packet);
    require(source.has_value());
    require(Prefix::parse("10.0.0.0/8")->contains(*source) || Prefix::parse("fd00::/16")->contains(*source));
  }

  void check() {
    lone_.sent.clear();
    // Only packets that wait for a session may keep buffers.
    require(lone_.pool.available() + peers_.size() * kMaxStagedPackets >= lone_.pool.slots());
    static_cast<void>(lone_.tunnel.take_events());
  }

  Input input_;
  LoneTunnel lone_;
  std::vector<PaperPeer> peers_;
  std::vector<Message> log_;
  std::vector<Message> waiting_;
  bool batching_ = false;
  Endpoint source_ = lone_.endpoint;
};

}  // namespace
}  // namespace adit::tunnel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  adit::tunnel::make_randomness_repeatable();
  adit::tunnel::Story({data, size}).run();
  return 0;
}
