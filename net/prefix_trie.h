// A map from prefixes to values that answers "which is the longest prefix that holds this address".
//
// How it works: a tree of six bits a level (a tree bitmap: Eatherton, Varghese, Dittia 2004).  A node of level l stands
// for 6 l bits that it has in common with all below it, and holds the prefixes of 6 l to 6 l + 5 bits that begin so,
// and up to 64 children by the next six bits.  Nodes with neither value nor two children are left out, so a child may
// be several levels down, and n prefixes need fewer than 2 n nodes.  The levels of 100,000 random prefixes are three or
// four; the first ones stay in the cache, and a look-up waits for one or two lines.
//
// The prefixes in a node are numbered as in a heap: 1 is the node's own, 2 i and 2 i + 1 are one bit longer than i.
// Those that hold an address are a mask by its next six bits, and the longest of them is the highest bit.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "net/addr.h"
#include "net/sparse_array.h"

namespace adit {
namespace detail {

inline constexpr unsigned kStride = 6;

/// By an address's six bits, which prefixes of a node hold it.
inline constexpr std::array<uint64_t, 64> kHolders = [] {
  std::array<uint64_t, 64> holders{};
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (unsigned heap = (64 + bits) / 2; heap > 0; heap /= 2) holders[bits] |= uint64_t{1} << heap;
  }
  return holders;
}();

/// Prefixes of one IP version: `Key` is an address as a number, the first bit highest.
template <typename Key, typename Value>
class PrefixTree {
  struct Node {
    Key key = 0;  // bits behind the level's are of no meaning
    uint8_t level = 0;
    SparseArray<Value> values;
    SparseArray<Node> children;
  };

 public:
  /// A look-up on its way down.
  struct Search {
    Key key;
    const Node* at;
    const Value* best = nullptr;

    /// False when there is nowhere to go.
    bool step() noexcept {
      if (!begin_alike(key, at->key, at->level)) return false;
      const unsigned next = bits_at(key, at->level);
      if (const uint64_t holders = at->values.bits() & kHolders[next]; holders != 0) {
        best = &at->values[static_cast<unsigned>(std::bit_width(holders)) - 1];
      }
      at = at->children.find(next);
      return at != nullptr;
    }
    void prefetch() const noexcept {
      __builtin_prefetch(at);
      __builtin_prefetch(reinterpret_cast<const char*>(at + 1) - 1);
    }
  };

  [[nodiscard]] Search search(Key key) const noexcept { return {key, &root_}; }

  /// True when the prefix is new.
  bool set(Key key, unsigned length, Value value) {
    const unsigned level = length / kStride;
    Node* node = &root_;
    while (node->level != level) node = &child_towards(*node, key, level);
    const unsigned heap = heap_of(key, length);
    if (Value* const old = node->values.find(heap)) {
      *old = std::move(value);
      return false;
    }
    node->values.insert(heap, std::move(value));
    return true;
  }

  [[nodiscard]] const Value* find_exact(Key key, unsigned length) const noexcept {
    const unsigned level = length / kStride;
    const Node* node = &root_;
    while (node != nullptr && node->level < level) node = node->children.find(bits_at(key, node->level));
    if (node == nullptr || node->level != level || !begin_alike(key, node->key, level)) return nullptr;
    return node->values.find(heap_of(key, length));
  }

  /// False when the prefix is not there.
  bool erase(Key key, unsigned length) noexcept {
    if (find_exact(key, length) == nullptr) return false;
    std::array<Node*, sizeof(Key) * 8 / kStride + 2> way;
    size_t steps = 0;
    way[0] = &root_;
    while (way[steps]->level < length / kStride) {
      Node* const child = way[steps]->children.find(bits_at(key, way[steps]->level));
      way[++steps] = child;
    }
    way[steps]->values.erase(heap_of(key, length));
    for (; steps > 0 && way[steps]->values.bits() == 0; --steps) remove_if_useless(*way[steps], *way[steps - 1], key);
    return true;
  }

 private:
  static constexpr unsigned kBits = sizeof(Key) * 8;

  /// Whether both begin with the same bits, up to a level.
  static bool begin_alike(Key a, Key b, unsigned level) noexcept {
    return level == 0 || (a ^ b) >> (kBits - kStride * level) == 0;
  }
  /// The six bits behind a level; behind the last bit there are zeros.
  static unsigned bits_at(Key key, unsigned level) noexcept {
    return static_cast<unsigned>(static_cast<Key>(key << kStride * level) >> (kBits - kStride));
  }
  static unsigned heap_of(Key key, unsigned length) noexcept {
    return (64 + bits_at(key, length / kStride)) >> (kStride - length % kStride);
  }

  /// The node's child on the way down to a level, made when it is missing.
  static Node& child_towards(Node& node, Key key, unsigned level) {
    const unsigned next = bits_at(key, node.level);
    Node* const child = node.children.find(next);
    if (child == nullptr) return node.children.insert(next, Node{key, static_cast<uint8_t>(level), {}, {}});
    unsigned common = std::min<unsigned>(level, child->level);
    while (!begin_alike(key, child->key, common)) --common;
    if (common == child->level) return *child;
    // The child leads past the prefix, or elsewhere: a new node takes its place where they part.
    Node between{key, static_cast<uint8_t>(common), {}, {}};
    between.children.insert(bits_at(child->key, common), std::move(*child));
    return *child = std::move(between);
  }

  /// Takes out a node without values unless two ways part there; its child, if it has one, moves up.
  static void remove_if_useless(Node& node, Node& parent, Key key) noexcept {
    const uint64_t children = node.children.bits();
    if ((children & (children - 1)) != 0) return;
    if (children == 0) return parent.children.erase(bits_at(key, parent.level));
    Node child = std::move(node.children[static_cast<unsigned>(std::bit_width(children)) - 1]);
    node = std::move(child);
  }

  Node root_;
};

/// Look-ups that go down side by side, so that they wait for memory together.
template <typename Search, typename Value>
class Searches {
 public:
  static constexpr size_t kMost = 32;

  void add(const Search& search, size_t number) noexcept {
    searches_[count_] = search;
    numbers_[count_++] = number;
  }
  /// Each result to the place that has the look-up's number.
  void finish(std::span<const Value*> results) noexcept {
    while (count_ > 0) {
      const size_t count = std::exchange(count_, 0);
      for (size_t i = 0; i < count; ++i) step(searches_[i], numbers_[i], results);
    }
  }

 private:
  void step(Search search, size_t number, std::span<const Value*> results) noexcept {
    if (search.step()) {
      search.prefetch();
      return add(search, number);
    }
    __builtin_prefetch(search.best);
    results[number] = search.best;
  }

  std::array<Search, kMost> searches_;
  std::array<size_t, kMost> numbers_;
  size_t count_ = 0;
};

}  // namespace detail

/// Pointers to values hold until the next change of the trie.  Values can be moved and made from nothing.
template <typename Value>
class PrefixTrie {
 public:
  /// Inserts the prefix or replaces its value.
  void set(const Prefix& prefix, Value value) {
    const bool is_new = prefix.ip.is_v4() ? v4_.set(v4_key(prefix.ip), prefix.length, std::move(value))
                                          : v6_.set(v6_key(prefix.ip), prefix.length, std::move(value));
    if (is_new) ++size_;
  }
  /// False when the prefix itself is not there, whatever longer or shorter ones are.
  bool erase(const Prefix& prefix) noexcept {
    const bool was_there =
        prefix.ip.is_v4() ? v4_.erase(v4_key(prefix.ip), prefix.length) : v6_.erase(v6_key(prefix.ip), prefix.length);
    if (was_there) --size_;
    return was_there;
  }

  /// The value of the longest prefix that holds the address; nullptr when none does.
  [[nodiscard]] const Value* find(const Ip& address) const noexcept {
    return address.is_v4() ? find_in(v4_.search(v4_key(address))) : find_in(v6_.search(v6_key(address)));
  }
  /// The same for many addresses: `values` has as many places.  Faster than one by one, and fetches the values.
  void find(std::span<const Ip> addresses, std::span<const Value*> values) const noexcept {
    constexpr size_t kAtOnce = Searches4::kMost;
    for (; !addresses.empty(); addresses = addresses.subspan(std::min(kAtOnce, addresses.size()))) {
      const auto portion = addresses.first(std::min(kAtOnce, addresses.size()));
      find_portion(portion, values.first(portion.size()));
      values = values.subspan(portion.size());
    }
  }
  /// The value of this very prefix; nullptr when it is not there.
  [[nodiscard]] const Value* find_exact(const Prefix& prefix) const noexcept {
    return prefix.ip.is_v4() ? v4_.find_exact(v4_key(prefix.ip), prefix.length)
                             : v6_.find_exact(v6_key(prefix.ip), prefix.length);
  }

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  using Tree4 = detail::PrefixTree<uint32_t, Value>;
  using Tree6 = detail::PrefixTree<Uint128, Value>;
  using Searches4 = detail::Searches<typename Tree4::Search, Value>;
  using Searches6 = detail::Searches<typename Tree6::Search, Value>;

  static uint32_t v4_key(const Ip& ip) noexcept { return load_be32(&ip.raw()[12]); }
  static Uint128 v6_key(const Ip& ip) noexcept {
    return static_cast<Uint128>(load_be64(&ip.raw()[0])) << 64 | load_be64(&ip.raw()[8]);
  }
  template <typename Search>
  static const Value* find_in(Search search) noexcept {
    while (search.step()) {
    }
    return search.best;
  }
  void find_portion(std::span<const Ip> addresses, std::span<const Value*> values) const noexcept {
    Searches4 v4;
    Searches6 v6;
    for (size_t i = 0; i < addresses.size(); ++i) {
      if (addresses[i].is_v4()) {
        v4.add(v4_.search(v4_key(addresses[i])), i);
      } else {
        v6.add(v6_.search(v6_key(addresses[i])), i);
      }
    }
    v4.finish(values);
    v6.finish(values);
  }

  Tree4 v4_;
  Tree6 v6_;
  size_t size_ = 0;
};

}  // namespace adit
