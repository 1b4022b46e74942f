// Cryptokey routing: which peer an inner address belongs to (paper 2).
#pragma once

#include <list>
#include <span>

#include "net/prefix_trie.h"

namespace adit::tunnel {

class Peer;

/// Longest prefix wins; a prefix belongs to the peer it was given to last.
///
/// How it works: each peer lists its prefixes in the order they came (Peer::allowed_ips), and the trie knows for each
/// prefix the peer and its place in that list.  So no call looks at more prefixes than it is about, however many the
/// peer or all peers have.
class AllowedIps {
 public:
  /// Puts the prefix at the end of the peer's list, and takes it from whoever had it.
  void give(Peer& peer, const Prefix& prefix);
  /// Nothing happens unless this very peer has this very prefix.
  void take(Peer& peer, const Prefix& prefix) noexcept;
  void take_all(Peer& peer) noexcept;

  /// nullptr when the address is nobody's.
  [[nodiscard]] Peer* find(const Ip& address) const noexcept {
    const Entry* entry = entries_.find(address);
    return entry == nullptr ? nullptr : entry->peer;
  }
  /// The same for many addresses; `peers` has as many places.
  void find(std::span<const Ip> addresses, std::span<Peer*> peers) const noexcept;
  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    Peer* peer;
    std::list<Prefix>::iterator place;
  };
  PrefixTrie<Entry> entries_;
};

}  // namespace adit::tunnel
