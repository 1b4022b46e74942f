#include "tunnel/peer.h"

#include <utility>

namespace adit::tunnel {

bool Peer::stage(Packet packet) {
  const bool full = staged.size() >= kMaxStagedPackets;
  if (full) staged.erase(staged.begin());
  staged.push_back(std::move(packet));
  return full;
}

}  // namespace adit::tunnel
