// Packets and addresses as the tests of the forwarder write them.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

#include "net/ip.h"
#include "net/packet.h"
#include "net/time.h"

namespace adit::forward {

inline Ip ip(std::string_view text) { return Ip::parse(text).value(); }
inline Endpoint endpoint(std::string_view text) { return Endpoint::parse(text).value(); }

/// A moment of simulated time.
inline Time at(Duration since_start) { return Time{} + seconds(1000) + since_start; }

inline Packet packet_of(PacketPool& pool, std::string_view content) {
  Packet packet = pool.take(content.size());
  if (!packet) throw std::runtime_error("the test's packet pool is empty");
  std::ranges::copy(content, packet.push_back(content.size()).begin());
  return packet;
}

inline Packet udp_packet(PacketPool& pool, const Endpoint& source, const Endpoint& destination,
                         std::string_view payload) {
  Packet packet = packet_of(pool, payload);
  push_udp(packet, source, destination);
  return packet;
}

inline std::string text_of(ConstBytes bytes) { return {bytes.begin(), bytes.end()}; }
inline std::string text_of(const Packet& packet) { return text_of(packet.bytes()); }

}  // namespace adit::forward
