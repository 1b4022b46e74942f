// The batch door across the lanes of vectors, whatever their width.
//
// ChaCha20: a batch is flattened into lanes, each one block of one message with that message's key, nonce and counter,
// so vectors are full whatever the lengths.  Poly1305: one message per lane, so nothing is summed across lanes.
//
// Messages are worked on in groups as wide as a vector.  A group's first lanes are, in this order,
//
//     [ block 0 of each message: its Poly1305 key | last block of each message, which may be short | whole blocks ... ]
//
// and every lane after those is a whole block: only the short ones need masks.
//
// Files that include this are compiled for processors the rest of the program may not have.  A function that is not
// theirs alone could be shared by the linker with everyone else, so they and this header use nothing of the standard
// library but plain types, and everything here is a template on a type that only one file has.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/poly1305.h"

namespace adit::crypto::vector {

inline constexpr size_t kBlockSize = 64;
/// ChaCha20 states worked on side by side: their instructions fill each other's waiting time.
inline constexpr size_t kStates = 2;

/// A job without its types: `text` has `size` bytes and is followed by the place of the tag.
struct Message {
  const uint8_t* key;
  uint64_t nonce;
  uint8_t* text;
  size_t size;
};

/// One bit for each message, the first lowest.
using MessageBits = uint64_t;
/// The most that one call takes: some groups of them.
inline constexpr size_t kMostMessages = 64;

/// Which block of which message each lane computes, and where the message has it.
template <typename Isa>
struct Lanes {
  static constexpr size_t kCount = kStates * Isa::kWidth;

  alignas(64) uint32_t message[kCount];
  alignas(64) uint32_t counter[kCount];
  uint8_t* data[kCount];
  size_t used;

  void add(uint32_t of, uint32_t block, uint8_t* at, uint32_t blocks) {
    for (uint32_t i = 0; i < blocks; ++i) {
      message[used + i] = of;
      counter[used + i] = block + i;
      data[used + i] = at + i * kBlockSize;
    }
    used += blocks;
  }
};

/// The group's keys and nonces word by word, a message per lane.
template <typename Isa>
struct Keys {
  using Vector = typename Isa::Vector;

  void load(const Message* messages, size_t count) {
    alignas(64) uint32_t words[10][Isa::kWidth] = {};
    several = false;
    for (size_t i = 0; i < count; ++i) {
      words[8][i] = static_cast<uint32_t>(messages[i].nonce);
      words[9][i] = static_cast<uint32_t>(messages[i].nonce >> 32);
      several |= messages[i].key != messages[0].key;
    }
    nonce[0] = Isa::load_words(words[8]);
    nonce[1] = Isa::load_words(words[9]);
    for (size_t word = 0; word < 8; ++word) {
      if (several) {
        for (size_t i = 0; i < count; ++i) __builtin_memcpy(&words[word][i], messages[i].key + 4 * word, 4);
        key[word] = Isa::load_words(words[word]);
      } else {
        __builtin_memcpy(&words[word][0], messages[0].key + 4 * word, 4);
        key[word] = Isa::every_word(words[word][0]);
      }
    }
  }

  Vector key[8];
  Vector nonce[2];
  bool several;
};

/// What is secret while a group is worked on.
template <typename Isa>
struct Workspace {
  using Vector = typename Isa::Vector;

  typename Isa::Poly poly[Isa::kWidth / Isa::kPolyLanes];
  Keys<Isa> keys;
  PolyKey only_poly_key;
  Vector initial[kStates][16];  // word by word, a block per lane
  Vector state[kStates][16];
  uint8_t first[kStates * Isa::kWidth][kBlockSize];  // keystream of the group's first lanes
};

template <typename Isa>
class Group {
 public:
  Group(Workspace<Isa>& work, const Message* messages, size_t count) : work_(work), messages_(messages), count_(count) {
    work_.keys.load(messages, count);
    begin_states();
    compute_first();
  }

  void seal() {
    xor_first(~MessageBits{0});
    xor_rest(~MessageBits{0});
    Tag tags[kWidth];
    authenticate(tags);
    for (size_t i = 0; i < count_; ++i) __builtin_memcpy(messages_[i].text + messages_[i].size, &tags[i], sizeof(Tag));
  }

  MessageBits open() {
    Tag tags[kWidth];
    authenticate(tags);
    MessageBits good = 0;
    for (size_t i = 0; i < count_; ++i) {
      Tag given;
      __builtin_memcpy(&given, messages_[i].text + messages_[i].size, sizeof(Tag));
      const uint64_t difference = (given.low ^ tags[i].low) | (given.high ^ tags[i].high);
      good |= static_cast<MessageBits>(difference == 0) << i;
    }
    xor_first(good);
    xor_rest(good);
    return good;
  }

 private:
  static constexpr size_t kWidth = Isa::kWidth;
  static constexpr size_t kPolyLanes = Isa::kPolyLanes;
  static constexpr uint32_t kConstants[] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};  // RFC 8439 section 2.3

  /// The words that are alike in all blocks.
  void begin_states() {
    for (auto& initial : work_.initial) {
      for (size_t word = 0; word < 4; ++word) initial[word] = Isa::every_word(kConstants[word]);
      for (size_t word = 0; word < 8; ++word) initial[4 + word] = work_.keys.key[word];
      initial[13] = Isa::every_word(0);
    }
  }

  size_t whole_blocks(size_t i) const { return messages_[i].size == 0 ? 0 : (messages_[i].size - 1) / kBlockSize; }

  /// Adds whole blocks where the last call left off, as many as there is room for.
  void add_whole_blocks(Lanes<Isa>& lanes, MessageBits of) {
    while (next_message_ < count_ && lanes.used < lanes.kCount) {
      const Message& message = messages_[next_message_];
      const uint32_t left =
          (of >> next_message_ & 1) == 0 ? 0 : static_cast<uint32_t>(whole_blocks(next_message_)) - next_block_;
      const auto room = static_cast<uint32_t>(lanes.kCount - lanes.used);
      const uint32_t now = left < room ? left : room;
      lanes.add(next_message_, next_block_ + 1, message.text + next_block_ * kBlockSize, now);
      next_block_ += now;
      if (now == left) {
        ++next_message_;
        next_block_ = 0;
      }
    }
  }

  void fill(typename Isa::Vector (&initial)[16], const uint32_t* message, const uint32_t* counter) {
    const Keys<Isa>& keys = work_.keys;
    const auto of = Isa::load_words(message);
    if (keys.several) {
      for (size_t word = 0; word < 8; ++word) initial[4 + word] = Isa::pick(of, keys.key[word]);
    }
    initial[12] = Isa::load_words(counter);
    initial[14] = Isa::pick(of, keys.nonce[0]);
    initial[15] = Isa::pick(of, keys.nonce[1]);
  }

  /// Leaves the blocks' words in work_.state.
  void compute(const Lanes<Isa>& lanes) {
    fill(work_.initial[0], lanes.message, lanes.counter);
    if (lanes.used <= kWidth) {
      Isa::rounds(work_.initial[0], work_.state[0]);
      return;
    }
    fill(work_.initial[1], lanes.message + kWidth, lanes.counter + kWidth);
    Isa::rounds_of_two(work_.initial, work_.state);
  }

  void compute_first() {
    size_t any_whole = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      const size_t whole = whole_blocks(i);
      any_whole |= whole;
      first_.message[i] = first_.message[count_ + i] = i;
      first_.counter[i] = 0;
      first_.counter[count_ + i] = static_cast<uint32_t>(whole) + 1;
      first_.data[count_ + i] = messages_[i].text + whole * kBlockSize;
    }
    first_.used = 2 * count_;
    if (any_whole == 0) next_message_ = static_cast<uint32_t>(count_);
    add_whole_blocks(first_, ~MessageBits{0});
    compute(first_);
    set_poly_keys();
    for (size_t i = 0; i < (first_.used > kWidth ? 2 : 1); ++i) {
      if ((i + 1) * kWidth <= count_) continue;  // nothing but Poly1305 keys
      Isa::blocks(work_.state[i],
                  [&](size_t lane, typename Isa::Block block) { Isa::store(work_.first[i * kWidth + lane], block); });
    }
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
      return;
    }
    each_part([&](auto& poly, size_t first) {
      poly.set_keys(Isa::joined(state, 0, first), Isa::joined(state, 2, first), Isa::joined(state, 4, first),
                    Isa::joined(state, 6, first));
    });
  }

  void authenticate(Tag (&tags)[kWidth]) {
    if (count_ == 1) {
      tags[0] = poly1305_aead_tag(work_.only_poly_key, messages_[0].text, messages_[0].size);
      return;
    }
    // Part by part at every stage, so that one can compute while another waits for its carries.
    each_part([&](auto& poly, size_t first) {
      const size_t left = count_ - first;
      poly.begin(messages_ + first, left < kPolyLanes ? left : kPolyLanes);
    });
    each_part([](auto& poly, size_t) { poly.front(); });
    each_part([](auto& poly, size_t) { poly.middle(); });
    each_part([](auto& poly, size_t) { poly.back(); });
    each_part([&](auto& poly, size_t first) { poly.finish(tags + first); });
  }

  void xor_first(MessageBits of) {
    for (size_t i = count_; i < 2 * count_; ++i) {
      const size_t message = i - count_;
      if ((of >> message & 1) == 0) continue;
      const size_t size = messages_[message].size - whole_blocks(message) * kBlockSize;
      Isa::xor_some(first_.data[i], work_.first[i], size);
    }
    for (size_t i = 2 * count_; i < first_.used; ++i) {
      if ((of >> first_.message[i] & 1) == 0) continue;
      Isa::xor_whole(first_.data[i], Isa::load(work_.first[i]));
    }
  }

  void xor_rest(MessageBits of) {
    if (next_message_ == count_) return;
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

  Lanes<Isa> first_;
  Workspace<Isa>& work_;
  const Message* messages_;
  size_t count_;
  uint32_t next_message_ = 0;
  uint32_t next_block_ = 0;
};

/// Leaves nothing secret on the stack but keystream, which is worth no more than the plain text it came to.
template <typename Isa>
void wipe(Workspace<Isa>& work) {
  __builtin_memset(&work, 0, offsetof(Workspace<Isa>, first));
  asm volatile("" : : "r"(&work) : "memory");
}

template <typename Isa>
void seal(const Message* messages, size_t count) {
  Workspace<Isa> work;
  for (size_t i = 0; i < count; i += Isa::kWidth) {
    const size_t left = count - i;
    Group<Isa>(work, messages + i, left < Isa::kWidth ? left : Isa::kWidth).seal();
  }
  wipe(work);
}

template <typename Isa>
MessageBits open(const Message* messages, size_t count) {
  Workspace<Isa> work;
  MessageBits good = 0;
  for (size_t i = 0; i < count; i += Isa::kWidth) {
    const size_t left = count - i;
    good |= Group<Isa>(work, messages + i, left < Isa::kWidth ? left : Isa::kWidth).open() << i;
  }
  wipe(work);
  return good;
}

}  // namespace adit::crypto::vector
