// Cryptokey routing: which peer an inner address belongs to (paper 2).
#pragma once

#include "net/prefix_trie.h"

namespace adit::tunnel {

class Peer;

/// Longest prefix wins; a prefix belongs to the peer it was given to last.
using AllowedIps = PrefixTrie<Peer*>;

}  // namespace adit::tunnel
