// What a batch of packets will need of tables and peers, looked up and fetched for all of them at once.
//
// Among thousands of peers nothing is in the processor's caches when a packet comes, and each of the ten or so lines
// that it needs would be waited for.  Here all packets of a batch wait together.

#include "net/ip.h"
#include "tunnel/tunnel.h"

namespace adit::tunnel {

/// Whose each packet's destination is: into found_.
void Tunnel::find_routes(const PacketBatch& inner) noexcept {
  addresses_.clear();
  for (const Packet& packet : inner) addresses_.push_back(destination_of(packet.bytes()).value_or(Ip()));
  found_.resize(inner.size());
  allowed_ips_.find(addresses_, found_);
  for (const Peer* peer : found_) {
    if (peer != nullptr) peer->prefetch();
  }
  for (const Peer* peer : found_) {
    if (peer == nullptr) continue;
    __builtin_prefetch(peer->staged.data());
    if (const Keypair* keypair = peer->keypairs.current()) keypair->prefetch();
  }
}

/// Whose the session of each data message is: into found_.  Datagrams without a packet are none.
void Tunnel::find_sessions(const Datagrams& outer) noexcept {
  const auto header_of = [](const Datagram& datagram) -> const DataHeader& {
    return message_in<DataHeader>(datagram.packet.bytes());
  };
  for (const Datagram& datagram : outer) {
    if (datagram.packet) indices_.prefetch(get_u32(header_of(datagram).receiver));
  }
  found_.clear();
  for (const Datagram& datagram : outer) {
    Peer* const peer = datagram.packet ? indices_.find(get_u32(header_of(datagram).receiver)) : nullptr;
    if (peer != nullptr) peer->prefetch();
    found_.push_back(peer);
  }
  for (size_t i = 0; i < outer.size(); ++i) {
    const Keypair* const likely = found_[i] == nullptr ? nullptr : found_[i]->keypairs.current();
    if (likely == nullptr) continue;
    likely->prefetch();
    likely->replay.prefetch(load_le64(header_of(outer[i]).counter.data()));
  }
}

/// Whose the source of each arrival's inner packet is: into found_.  Of no meaning for what is not authentic or no IP.
void Tunnel::find_owners(const Incoming& incoming) noexcept {
  addresses_.clear();
  for (const Incoming::Arrival& arrival : incoming.arrivals_) {
    addresses_.push_back(source_of(std::as_const(arrival.datagram->packet).bytes()).value_or(Ip()));
  }
  found_.resize(incoming.arrivals_.size());
  allowed_ips_.find(addresses_, found_);
}

}  // namespace adit::tunnel
