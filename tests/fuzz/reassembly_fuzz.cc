// Fragments of any kind in any order, and time: the Reassembler does what the plain model does, and nothing it gives
// out has bytes of another datagram.
//
// The input is a program: each step is a byte that says what happens and operands behind it.
#include <cstdlib>

#include "tests/support/reassembly_model.h"

namespace adit {
namespace {

using test::ByteVector;
using test::Piece;

constexpr Reassembler::Limits kLimits = {.datagrams = 4, .per_source = 2, .whole = 1};
constexpr size_t kMostSteps = 300;

void require(bool condition) {
  if (!condition) std::abort();
}

/// Takes bytes off the input; zeros when it has ended.
class Input {
 public:
  explicit Input(ConstBytes bytes) : bytes_(bytes) {}
  [[nodiscard]] bool is_over() const { return bytes_.empty(); }
  uint8_t byte() {
    const ConstBytes taken = take(1);
    return taken.empty() ? uint8_t{0} : taken[0];
  }
  size_t u16() {
    const size_t high = byte();
    return high << 8 | byte();
  }
  ConstBytes take(size_t count) {
    const ConstBytes taken = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

 private:
  ConstBytes bytes_;
};

class Story {
 public:
  void run(Input input) {
    for (size_t step = 0; step < kMostSteps && !input.is_over(); ++step) {
      const uint8_t what = input.byte();
      switch (what >> 6) {
        case 0:
          take(generated(input, what));
          break;
        case 1:
          take(changed(input, what));
          break;
        case 2:
          pass(milliseconds(input.u16() / 2));
          break;
        default: {
          const ConstBytes raw = input.take(input.byte());
          is_honest_ = false;
          take({raw.begin(), raw.end()});
          break;
        }
      }
    }
    pass(seconds(60));
    require(reassembler_.under_way() == 0 && reassembler_.next_deadline() == kNever);
  }

 private:
  /// A part of one of 16 datagrams.
  ByteVector generated(Input& input, uint8_t what) {
    const uint8_t how = input.byte();
    Piece piece{.v4 = (what & 1) != 0,
                .host = static_cast<uint8_t>(what >> 1 & 1),
                .identification = static_cast<uint32_t>(what >> 2 & 3),
                .protocol = 17};
    // Near the front, or anywhere.
    piece.offset = 8 * ((how & 1) != 0 ? input.u16() & 0x1fff : size_t{input.byte()});
    piece.more = (how & 2) != 0;
    piece.tos = static_cast<uint8_t>((how & 4) != 0 ? input.byte() : 0);
    piece.options = piece.v4 && (how & 8) != 0 ? 4 * (input.byte() % 11u) : 0;
    if ((how & 0x10) != 0) piece.protocol = input.byte();
    size_t size = 8 * ((how & 0x20) != 0 ? input.u16() & 0x0fff : size_t{input.byte()});
    if ((how & 0x40) != 0) size += input.byte() & 7;
    const size_t headers = piece.v4 ? 20 + piece.options : 48;
    size = std::min(size, 65535 - headers);
    return test::packet_of(piece, content(piece, size));
  }

  /// Whose it is in the upper half of each byte, and where in the lower.
  static ByteVector content(const Piece& piece, size_t size) {
    const uint32_t whose = piece.identification * 4 + piece.host * 2u + (piece.v4 ? 1 : 0);
    ByteVector bytes(size);
    for (size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<uint8_t>(whose << 4 | ((piece.offset + i) / kFragmentUnit & 15));
    }
    return bytes;
  }

  ByteVector changed(Input& input, uint8_t what) {
    ByteVector packet = generated(input, what);
    is_honest_ = false;
    for (size_t i = input.byte() % 3u + 1; i > 0; --i) {
      packet[std::min<size_t>(packet.size() - 1, input.byte())] ^= input.byte();
    }
    if ((what & 0x20) != 0 && packet[0] >> 4 == 4 && (packet[0] & 15u) * 4 <= packet.size() && (packet[0] & 15) >= 5) {
      store_be16(&packet[10], 0);
      store_be16(&packet[10], checksum_finish(checksum_add(0, ConstBytes(packet).first((packet[0] & 15u) * 4))));
    }
    return packet;
  }

  void take(const ByteVector& fragment) {
    Packet packet = test::put(pool_, fragment);
    const Taken taken = reassembler_.take(packet, now_, drops_);
    require(taken == model_.take(fragment, now_));
    require(bool{packet} == (taken == Taken::kNotAFragment || taken == Taken::kWhole));
    if (taken == Taken::kNotAFragment) require(test::bytes_of(packet) == fragment);
    if (taken == Taken::kWhole) check_whole(test::bytes_of(packet));
    check();
  }
  void pass(Duration duration) {
    now_ += duration;
    reassembler_.expire(now_, drops_);
    model_.expire(now_);
    check();
  }

  void check_whole(const ByteVector& whole) const {
    require(whole == model_.whole);
    require(ip_length(whole) == whole.size());
    const bool was_cut_twice = whole[0] >> 4 == 6 && whole[6] == kProtocolFragment;
    require(was_cut_twice || !fragment_view(whole));
    if (!is_honest_) return;
    const bool v4 = whole[0] >> 4 == 4;
    const size_t header = v4 ? (whole[0] & 15u) * 4 : 40;
    const uint8_t its = header < whole.size() ? whole[header] & 0xf0 : 0;
    for (size_t at = 0; header + at < whole.size(); ++at) {
      require(whole[header + at] == (its | (at / kFragmentUnit & 15)));
    }
    if (header == whole.size()) return;
    require((its >> 4 & 1) == v4 && (its >> 5 & 1) == whole[v4 ? 15 : 23]);
    if (v4) require(its >> 6 == whole[5]);
  }
  void check() const {
    require(reassembler_.under_way() == model_.under_way() && reassembler_.under_way() <= kLimits.datagrams);
    require(reassembler_.next_deadline() == model_.next_deadline());
    for (size_t i = 0; i < kDropCount; ++i) require(drops_[static_cast<Drop>(i)] == model_.drops[static_cast<Drop>(i)]);
  }

  PacketPool pool_{1, 66000};
  Reassembler reassembler_{kLimits};
  test::ReassemblyModel model_{kLimits};
  DropCounters drops_;
  bool is_honest_ = true;  // nothing but parts of the datagrams that there are
  Time now_{seconds(1)};
};

}  // namespace
}  // namespace adit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  adit::Story().run(adit::Input({data, size}));
  return 0;
}
