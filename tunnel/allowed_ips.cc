#include "tunnel/allowed_ips.h"

#include "tunnel/peer.h"

namespace adit::tunnel {
namespace {

constexpr size_t kAtOnce = 64;

}  // namespace

void AllowedIps::give(Peer& peer, const Prefix& prefix) {
  std::list<Prefix>& list = peer.allowed_ips;
  if (const Entry* had = entries_.find_exact(prefix)) {
    list.splice(list.end(), had->peer->allowed_ips, had->place);
  } else {
    list.push_back(prefix);
  }
  entries_.set(prefix, {&peer, std::prev(list.end())});
}

void AllowedIps::take(Peer& peer, const Prefix& prefix) noexcept {
  const Entry* had = entries_.find_exact(prefix);
  if (had == nullptr || had->peer != &peer) return;
  peer.allowed_ips.erase(had->place);
  entries_.erase(prefix);
}

void AllowedIps::take_all(Peer& peer) noexcept {
  for (const Prefix& prefix : peer.allowed_ips) entries_.erase(prefix);
  peer.allowed_ips.clear();
}

/// A train's packets are one after the other of the same address: that is looked up once.
void AllowedIps::find(std::span<const Ip> addresses, std::span<Peer*> peers) const noexcept {
  std::array<Ip, kAtOnce> distinct;
  std::array<const Entry*, kAtOnce> entries;
  std::array<uint8_t, kAtOnce> which;
  while (!addresses.empty()) {
    const auto portion = addresses.first(std::min(addresses.size(), kAtOnce));
    size_t count = 0;
    for (size_t i = 0; i < portion.size(); ++i) {
      if (i == 0 || portion[i] != portion[i - 1]) distinct[count++] = portion[i];
      which[i] = static_cast<uint8_t>(count - 1);
    }
    entries_.find(std::span(distinct).first(count), entries);
    for (size_t i = 0; i < portion.size(); ++i) {
      const Entry* const entry = entries[which[i]];
      peers[i] = entry == nullptr ? nullptr : entry->peer;
    }
    addresses = addresses.subspan(portion.size());
    peers = peers.subspan(portion.size());
  }
}

}  // namespace adit::tunnel
