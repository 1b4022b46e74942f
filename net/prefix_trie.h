// A map from prefixes to values that answers "which is the longest prefix that holds this address".
//
// How it works: a binary trie with compressed paths.  A node stands for a prefix; its two children are longer prefixes
// that begin like it and go on with a 0 or a 1.  A node exists because somebody set its prefix, or because two prefixes
// part there: so n prefixes need fewer than 2n nodes, and the way down is about log2(n) nodes for any usual set.  The
// two roots, 0.0.0.0/0 and ::/0, always exist.  A look-up walks down while nodes match and remembers the last value.
//
// Nodes are 32 bytes in one array and name each other by index, values lie apart: a step of a look-up is one cache
// line, values that are not the answer cost nothing, and a copy of the trie is a copy of two arrays.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "net/addr.h"

namespace adit {

/// Pointers to values hold until the next change of the trie.  A moved-from trie may be assigned to, cleared or
/// destroyed, nothing else.
template <typename Value>
class PrefixTrie {
 public:
  PrefixTrie() { clear(); }

  /// Inserts the prefix or replaces its value.
  void set(const Prefix& prefix, Value value);
  /// False when the prefix itself is not there, whatever longer or shorter ones are.
  bool erase(const Prefix& prefix);
  /// Erases every prefix for which predicate(const Prefix&, const Value&) is true.
  template <typename Predicate>
  void erase_if(Predicate predicate);
  void clear();

  /// The value of the longest prefix that holds the address; nullptr when none does.
  [[nodiscard]] const Value* find(const Ip& address) const noexcept;
  /// The value of this very prefix; nullptr when it is not there.
  [[nodiscard]] const Value* find_exact(const Prefix& prefix) const noexcept;

  /// Calls visit(const Prefix&, const Value&) for IPv4 and then IPv6, by address and then from short to long.
  template <typename Visit>
  void for_each(Visit visit) const;

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  static constexpr uint32_t kNone = 0;  // "no child": index 0 is a root, which is nobody's child
  static constexpr uint32_t kRoot4 = 0;
  static constexpr uint32_t kRoot6 = 1;

  /// An address as 128 bits, the first bit highest; IPv4 has the first 32 of them.
  struct Key {
    uint64_t high = 0;
    uint64_t low = 0;
  };
  struct alignas(32) Node {
    Key key;  // bits behind `length` are of no meaning
    std::array<uint32_t, 2> child = {kNone, kNone};
    uint8_t length = 0;
    bool has_value = false;
  };
  /// A node with its parent and grandparent; a root is its own parent.
  struct Place {
    uint32_t node, parent, grandparent;
  };

  static Key key_of(const Ip& ip) noexcept;
  static Prefix prefix_of(const Node& node, bool v4) noexcept;
  static unsigned bit(const Key& key, unsigned index) noexcept;
  static unsigned common_bits(const Key& a, const Key& b) noexcept;
  static uint32_t root_of(const Ip& ip) noexcept { return ip.is_v4() ? kRoot4 : kRoot6; }
  static bool is_root(uint32_t node) noexcept { return node == kRoot4 || node == kRoot6; }

  [[nodiscard]] Place place_of(const Prefix& prefix) const noexcept;
  uint32_t step_towards(uint32_t from, const Key& key, uint8_t length);
  uint32_t new_node(const Key& key, uint8_t length);
  bool remove_if_useless(uint32_t node, uint32_t parent);
  template <typename Visit>
  void visit_below(uint32_t at, bool v4, Visit& visit) const;

  std::vector<Node> nodes_;
  std::vector<std::optional<Value>> values_;  // of the node with the same index
  std::vector<uint32_t> free_;                // nodes not in use
  size_t size_ = 0;
};

template <typename Value>
void PrefixTrie<Value>::clear() {
  nodes_.assign(2, Node{});
  values_.clear();
  values_.resize(2);
  free_.clear();
  size_ = 0;
}

template <typename Value>
const Value* PrefixTrie<Value>::find(const Ip& address) const noexcept {
  const Key key = key_of(address);
  const std::optional<Value>* best = nullptr;
  uint32_t at = root_of(address);
  do {
    const Node& node = nodes_[at];
    if (common_bits(key, node.key) < node.length) break;
    if (node.has_value) best = &values_[at];
    at = node.child[bit(key, node.length)];
  } while (at != kNone);
  return best == nullptr ? nullptr : &**best;
}

template <typename Value>
const Value* PrefixTrie<Value>::find_exact(const Prefix& prefix) const noexcept {
  const uint32_t node = place_of(prefix).node;
  if (nodes_[node].length != prefix.length || !nodes_[node].has_value) return nullptr;
  return &*values_[node];
}

template <typename Value>
void PrefixTrie<Value>::set(const Prefix& prefix, Value value) {
  const Key key = key_of(prefix.ip);
  uint32_t at = root_of(prefix.ip);
  while (nodes_[at].length < prefix.length) at = step_towards(at, key, prefix.length);
  if (!nodes_[at].has_value) ++size_;
  nodes_[at].has_value = true;
  values_[at] = std::move(value);
}

/// The next node on the way from a node down to a prefix, made when it is missing.
template <typename Value>
uint32_t PrefixTrie<Value>::step_towards(uint32_t from, const Key& key, uint8_t length) {
  const unsigned side = bit(key, nodes_[from].length);
  const uint32_t child = nodes_[from].child[side];
  if (child == kNone) {
    const uint32_t leaf = new_node(key, length);
    return nodes_[from].child[side] = leaf;
  }
  const Key child_key = nodes_[child].key;
  const unsigned common = std::min<unsigned>({common_bits(key, child_key), length, nodes_[child].length});
  if (common == nodes_[child].length) return child;
  // The child leads past the prefix, or elsewhere: a new node takes its place where they part.
  const uint32_t between = new_node(key, static_cast<uint8_t>(common));
  nodes_[between].child[bit(child_key, common)] = child;
  return nodes_[from].child[side] = between;
}

template <typename Value>
bool PrefixTrie<Value>::erase(const Prefix& prefix) {
  const auto [node, parent, grandparent] = place_of(prefix);
  if (nodes_[node].length != prefix.length || !nodes_[node].has_value) return false;
  nodes_[node].has_value = false;
  values_[node].reset();
  --size_;
  if (remove_if_useless(node, parent)) remove_if_useless(parent, grandparent);
  return true;
}

/// Takes out a node that neither holds a value nor parts two ways; its child, if it has one, moves up.
template <typename Value>
bool PrefixTrie<Value>::remove_if_useless(uint32_t node, uint32_t parent) {
  const auto [left, right] = nodes_[node].child;
  if (is_root(node) || nodes_[node].has_value || (left != kNone && right != kNone)) return false;
  auto& siblings = nodes_[parent].child;
  siblings[siblings[1] == node ? 1 : 0] = left != kNone ? left : right;
  free_.push_back(node);
  return true;
}

/// Where the prefix is, or else the last node on the way to it.
template <typename Value>
typename PrefixTrie<Value>::Place PrefixTrie<Value>::place_of(const Prefix& prefix) const noexcept {
  const Key key = key_of(prefix.ip);
  const uint32_t root = root_of(prefix.ip);
  Place place = {root, root, root};
  while (nodes_[place.node].length < prefix.length) {
    const uint32_t next = nodes_[place.node].child[bit(key, nodes_[place.node].length)];
    if (next == kNone || nodes_[next].length > prefix.length) break;
    if (common_bits(key, nodes_[next].key) < nodes_[next].length) break;
    place = {next, place.node, place.parent};
  }
  return place;
}

template <typename Value>
template <typename Predicate>
void PrefixTrie<Value>::erase_if(Predicate predicate) {
  std::vector<Prefix> doomed;
  for_each([&](const Prefix& prefix, const Value& value) {
    if (predicate(prefix, value)) doomed.push_back(prefix);
  });
  for (const Prefix& prefix : doomed) erase(prefix);
}

template <typename Value>
template <typename Visit>
void PrefixTrie<Value>::for_each(Visit visit) const {
  visit_below(kRoot4, true, visit);
  visit_below(kRoot6, false, visit);
}

template <typename Value>
template <typename Visit>
void PrefixTrie<Value>::visit_below(uint32_t at, bool v4, Visit& visit) const {
  const Node& node = nodes_[at];
  if (node.has_value) visit(prefix_of(node, v4), *values_[at]);
  for (const uint32_t child : node.child) {
    if (child != kNone) visit_below(child, v4, visit);
  }
}

template <typename Value>
uint32_t PrefixTrie<Value>::new_node(const Key& key, uint8_t length) {
  const Node node = {.key = key, .length = length};
  if (!free_.empty()) {
    const uint32_t index = free_.back();
    free_.pop_back();
    nodes_[index] = node;
    return index;
  }
  nodes_.push_back(node);
  values_.emplace_back();
  return static_cast<uint32_t>(nodes_.size() - 1);
}

template <typename Value>
typename PrefixTrie<Value>::Key PrefixTrie<Value>::key_of(const Ip& ip) noexcept {
  const uint8_t* raw = ip.raw().data();
  if (ip.is_v4()) return {.high = uint64_t{load_be32(raw + 12)} << 32};
  return {.high = load_be64(raw), .low = load_be64(raw + 8)};
}

template <typename Value>
Prefix PrefixTrie<Value>::prefix_of(const Node& node, bool v4) noexcept {
  if (v4) return Prefix::of(Ip::v4(static_cast<uint32_t>(node.key.high >> 32)), node.length);
  std::array<uint8_t, 16> raw;
  store_be64(raw.data(), node.key.high);
  store_be64(raw.data() + 8, node.key.low);
  return Prefix::of(Ip::v6(raw), node.length);
}

/// The bit at an index; behind the last one any (a node of 128 bits has no children to choose from).
template <typename Value>
unsigned PrefixTrie<Value>::bit(const Key& key, unsigned index) noexcept {
  return (index < 64 ? key.high : key.low) >> (63 - index % 64) & 1;
}

template <typename Value>
unsigned PrefixTrie<Value>::common_bits(const Key& a, const Key& b) noexcept {
  if (a.high != b.high) return static_cast<unsigned>(std::countl_zero(a.high ^ b.high));
  return 64 + static_cast<unsigned>(std::countl_zero(a.low ^ b.low));
}

}  // namespace adit
