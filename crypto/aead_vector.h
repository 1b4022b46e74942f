// The batch door across the lanes of vectors, whatever their width.
//
// ChaCha20: a batch is flattened into lanes, each one block of one message with that message's key, nonce and counter,
// so vectors are full whatever the lengths.  Poly1305: one message per lane, so nothing is summed across lanes.
//
// Messages are worked on in groups as wide as a vector.  A group's first lanes are, in this order,
//
//     [ block 0 of each message: its Poly1305 key | last block of each message, which may be short | whole blocks ... ]
//
// and every lane after those is a whole block: only the first lanes need sizes.  Where all messages have as many whole
// blocks, as those of a train do, a vector is a row of them, one block of each message in the messages' order: then
// lanes differ from one row to the next in nothing but the counter.
//
// Files that include this are compiled for processors the rest of the program may not have.  A function that is not
// theirs alone could be shared by the linker with everyone else, so they and this header use nothing of the standard
// library but plain types, and everything here is a template on a type that only one file has.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/aead_lanes.h"
#include "crypto/poly1305.h"

namespace adit::crypto::vector {

template <typename Isa>
class Group {  // NOLINT(clang-analyzer-optin.performance.Padding): aligned for the widest vectors
 public:
  Group(Workspace<Isa>& work, const Messages& messages, size_t first, size_t count)
      : work_(work),
        key_(messages.key + first),
        nonce_(messages.nonce + first),
        text_(messages.text + first),
        size_(messages.size + first),
        count_(static_cast<uint32_t>(count)) {
    begin_lanes();
    load_keys();
    begin_states();
    compute(first_);
    set_poly_keys();
  }

  void seal() {
    xor_first();
    xor_rest(~MessageBits{0});
    Tag tags[kWidth];
    authenticate(tags);
    for (size_t i = 0; i < count_; ++i) __builtin_memcpy(text_[i] + size_[i], &tags[i], sizeof(Tag));
  }

  MessageBits open() {
    Tag tags[kWidth];
    authenticate(tags);
    const MessageBits good = poly1305_agree(tags, text_, size_, count_);
    for (size_t i = 0; i < first_.used; ++i) {
      if ((good >> first_.message[i] & 1) == 0) first_size_[i] = 0;
    }
    xor_first();
    xor_rest(good);
    return good;
  }

 private:
  using Vector = typename Isa::Vector;
  static constexpr size_t kWidth = Isa::kWidth;
  static constexpr size_t kPolyLanes = Isa::kPolyLanes;
  static constexpr uint32_t kConstants[] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};  // RFC 8439 section 2.3

  size_t whole_blocks(size_t i) const { return size_[i] == 0 ? 0 : (size_[i] - 1) / kBlockSize; }

  /// Long before they are loaded: vectors of what was just written piece by piece would have to wait.
  void begin_lanes() {
    uint64_t any_whole = 0;
    bool unlike = count_ != kWidth;
    for (uint32_t i = 0; i < count_; ++i) {
      const size_t whole = whole_blocks(i);
      any_whole |= whole;
      unlike |= whole != whole_blocks(0);
      first_.message[i] = first_.message[count_ + i] = i;
      first_.counter[i] = 0;
      first_.counter[count_ + i] = static_cast<uint32_t>(whole) + 1;
      first_.data[i] = first_.data[count_ + i] = text_[i] + whole * kBlockSize;
      first_size_[i] = 0;
      first_size_[count_ + i] = static_cast<uint8_t>(size_[i] - whole * kBlockSize);
    }
    first_.used = size_t{2} * count_;
    in_rows_ = !unlike;
    if (any_whole == 0) next_message_ = count_;
    add_whole_blocks(first_, ~MessageBits{0});
    for (size_t i = size_t{2} * count_; i < first_.kCount; ++i) first_size_[i] = i < first_.used ? kBlockSize : 0;
    for (size_t i = first_.used; i < first_.kCount; ++i) first_.data[i] = text_[0];
  }

  void load_keys() {
    Isa::load_numbers(nonce_, nonces_[0], nonces_[1]);
    work_.several_keys = false;
    for (size_t i = 1; i < count_; ++i) work_.several_keys |= key_[i] != key_[0];
    for (size_t word = 0; word < 8; ++word) {
      alignas(64) uint32_t words[kWidth];
      if (work_.several_keys) {
        for (size_t i = 0; i < kWidth; ++i) __builtin_memcpy(&words[i], key_[i] + 4 * word, sizeof words[i]);
        work_.keys[word] = Isa::load_words(words);
        overwrite(words);
      } else {
        __builtin_memcpy(words, key_[0] + 4 * word, sizeof words[0]);
        work_.keys[word] = Isa::every_word(words[0]);
      }
    }
  }

  /// What is alike in all blocks, and in all of one message: three columns of the first round know no counter.
  void begin_states() {
    for (auto& initial : work_.initial) {
      for (size_t word = 0; word < 4; ++word) initial[word] = Isa::every_word(kConstants[word]);
      for (size_t word = 0; word < 8; ++word) initial[4 + word] = work_.keys[word];
      initial[13] = Isa::every_word(0);
    }
    Vector(&x)[16] = work_.columns;
    for (size_t word = 0; word < 12; ++word) x[word] = work_.initial[0][word];
    x[12] = x[13] = Isa::every_word(0);
    x[14] = nonces_[0];
    x[15] = nonces_[1];
    for (size_t i = 1; i < 4; ++i) Isa::quarter_round(x[i], x[4 + i], x[8 + i], x[12 + i]);
  }

  /// Adds whole blocks where the last call left off, as many as there is room for.
  void add_whole_blocks(Lanes<Isa>& lanes, MessageBits of) {
    while (next_message_ < count_ && lanes.used < lanes.kCount) {
      const uint32_t left =
          (of >> next_message_ & 1) == 0 ? 0 : static_cast<uint32_t>(whole_blocks(next_message_)) - next_block_;
      const auto room = static_cast<uint32_t>(lanes.kCount - lanes.used);
      const uint32_t now = left < room ? left : room;
      lanes.add(next_message_, next_block_ + 1, text_[next_message_] + next_block_ * kBlockSize, now);
      next_block_ += now;
      if (now == left) {
        ++next_message_;
        next_block_ = 0;
      }
    }
  }

  /// A block per lane: the initial state, and the state after the first round's columns.
  void fill(Vector (&initial)[16], Vector (&state)[16], const uint32_t* message, const uint32_t* counter) {
    const Vector of = Isa::load_words(message);
    const bool several = work_.several_keys;
    for (size_t word = 0; several && word < 8; ++word) initial[4 + word] = Isa::pick(of, work_.keys[word]);
    initial[12] = Isa::load_words(counter);
    initial[14] = Isa::pick(of, nonces_[0]);
    initial[15] = Isa::pick(of, nonces_[1]);
    Vector a = initial[0], b = initial[4], c = initial[8], d = initial[12];
    Isa::quarter_round(a, b, c, d);
    state[0] = a;
    state[4] = b;
    state[8] = c;
    state[12] = d;
    for (size_t word = 1; word < 16; word += 4) {  // without a nonce
      state[word] = several ? Isa::pick(of, work_.columns[word]) : work_.columns[word];
    }
    for (size_t word = 2; word < 16; word += 4) {
      state[word] = Isa::pick(of, work_.columns[word]);
      state[word + 1] = Isa::pick(of, work_.columns[word + 1]);
    }
  }

  /// Leaves the blocks' words in work_.state.
  void compute(const Lanes<Isa>& lanes) {
    fill(work_.initial[0], work_.state[0], lanes.message, lanes.counter);
    if (lanes.used <= kWidth) {
      Isa::rounds(work_.initial[0], work_.state[0]);
      return;
    }
    fill(work_.initial[1], work_.state[1], lanes.message + kWidth, lanes.counter + kWidth);
    Isa::rounds_of_two(work_.initial, work_.state);
  }

  /// Xors whole blocks where all messages have as many: a row of blocks, one of each message, needs no picking.
  void xor_rows() {
    const size_t rows = whole_blocks(0);
    for (size_t row = 0; row < rows; row += kStates) {
      fill_row(0, static_cast<uint32_t>(row + 1));
      if (row + 1 == rows) {
        Isa::rounds(work_.initial[0], work_.state[0]);
        return xor_row(0, row);
      }
      fill_row(1, static_cast<uint32_t>(row + 2));
      Isa::rounds_of_two(work_.initial, work_.state);
      xor_row(0, row);
      xor_row(1, row + 1);
    }
  }
  /// The first lanes were rows, too: only the counter is another.
  void fill_row(size_t state, uint32_t counter) {
    // Or a compiler keeps a copy of the key for all rows, which nobody wipes.
    asm volatile("" : "+m"(work_.initial[state]));
    Vector(&x)[16] = work_.state[state];
    for (size_t word = 0; word < 16; ++word) x[word] = work_.columns[word];
    Vector d = work_.initial[state][12] = Isa::every_word(counter);
    Isa::quarter_round(x[0], x[4], x[8], d);
    x[12] = d;
  }
  void xor_row(size_t state, size_t row) {
    Isa::blocks(work_.state[state],
                [&](size_t lane, typename Isa::Block block) { Isa::xor_whole(text_[lane] + row * kBlockSize, block); });
  }

  /// Does something with each part of the messages that Poly1305 can take at a time.
  template <typename Do>
  void each_part(Do something) {
    for (size_t part = 0; part * kPolyLanes < count_; ++part) something(work_.poly[part], part * kPolyLanes);
  }

  /// One message alone has no use for lanes.
  void set_poly_keys() {
    const auto& state = work_.state[0];
    if (count_ == 1) {
      uint32_t words[8];
      for (size_t i = 0; i < 8; ++i) __builtin_memcpy(&words[i], &state[i], sizeof words[i]);
      __builtin_memcpy(&work_.only_poly_key, words, sizeof words);
      overwrite(words);
      return;
    }
    each_part([&](auto& poly, size_t first) {
      poly.set_keys(Isa::joined(state, 0, first), Isa::joined(state, 2, first), Isa::joined(state, 4, first),
                    Isa::joined(state, 6, first));
    });
  }

  void authenticate(Tag (&tags)[kWidth]) {
    if (count_ == 1) {
      tags[0] = poly1305_aead_tag(work_.only_poly_key, text_[0], size_[0]);
      return;
    }
    // Part by part at every stage, so that one can compute while another waits for its carries.
    each_part([&](auto& poly, size_t first) { poly.begin(text_ + first, size_ + first); });
    each_part([](auto& poly, size_t) { poly.front(); });
    each_part([](auto& poly, size_t) { poly.middle(); });
    each_part([](auto& poly, size_t) { poly.back(); });
    each_part([&](auto& poly, size_t first) { poly.finish(tags + first); });
  }

  /// work_.state still has the first lanes' blocks.
  void xor_first() {
    for (size_t i = 0; i * kWidth < first_.used; ++i) {
      if ((i + 1) * kWidth <= count_) continue;  // nothing but Poly1305 keys
      uint8_t* const* const data = first_.data + i * kWidth;
      const uint8_t* const size = first_size_ + i * kWidth;
      Isa::blocks(work_.state[i],
                  [&](size_t lane, typename Isa::Block block) { Isa::xor_some(data[lane], block, size[lane]); });
    }
  }

  void xor_rest(MessageBits of) {
    if (next_message_ == count_) return;
    if (in_rows_ && (~of & ((MessageBits{1} << kWidth) - 1)) == 0) return xor_rows();
    Lanes<Isa> lanes[2];  // the next ones are made ready before the present ones are worked on
    lanes[0].used = 0;
    add_whole_blocks(lanes[0], of);
    for (size_t turn = 0;; turn ^= 1) {
      const Lanes<Isa>& now = lanes[turn];
      if (now.used == 0) return;
      lanes[turn ^ 1].used = 0;
      add_whole_blocks(lanes[turn ^ 1], of);
      compute(now);
      for (size_t i = 0; i * kWidth < now.used; ++i) {
        uint8_t* const* const data = now.data + i * kWidth;
        const size_t used = now.used - i * kWidth;
        if (used >= kWidth) {
          Isa::blocks(work_.state[i],
                      [&](size_t lane, typename Isa::Block block) { Isa::xor_whole(data[lane], block); });
        } else {
          Isa::blocks(work_.state[i], [&](size_t lane, typename Isa::Block block) {
            if (lane < used) Isa::xor_whole(data[lane], block);
          });
        }
      }
    }
  }

  Workspace<Isa>& work_;
  const uint8_t* const* key_;
  const uint64_t* nonce_;
  uint8_t* const* text_;
  const uint64_t* size_;
  uint32_t count_;
  Vector nonces_[2];  // the low and the high words
  Lanes<Isa> first_;
  alignas(64) uint8_t first_size_[Lanes<Isa>::kCount];  // how many bytes of the first lanes' blocks are used
  uint32_t next_message_ = 0;
  uint32_t next_block_ = 0;
  bool in_rows_ = false;
};

/// `count` is at most kMostMessages.
template <typename Isa>
void seal(const Messages& messages, size_t count) {
  Workspace<Isa> work;
  for (size_t i = 0; i < count; i += Isa::kWidth) {
    const size_t left = count - i;
    Group<Isa>(work, messages, i, left < Isa::kWidth ? left : Isa::kWidth).seal();
  }
  work.wipe();
}

template <typename Isa>
MessageBits open(const Messages& messages, size_t count) {
  Workspace<Isa> work;
  MessageBits good = 0;
  for (size_t i = 0; i < count; i += Isa::kWidth) {
    const size_t left = count - i;
    good |= Group<Isa>(work, messages, i, left < Isa::kWidth ? left : Isa::kWidth).open() << i;
  }
  work.wipe();
  return good;
}

}  // namespace adit::crypto::vector
