// Bytes from a peer, decrypted and therefore believed by nobody: the IP and UDP parsers and the forwarder behind them.
// The same bytes are also a client's payload on its way in.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "forward/forwarder.h"
#include "net/checksum.h"
#include "net/fragment.h"
#include "net/icmp_error.h"
#include "net/ip.h"

namespace adit::forward {
namespace {

constexpr size_t kLargestInput = 65535;
constexpr Time kNow{seconds(1)};

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_part(ConstBytes part, ConstBytes whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

PacketPool& pool() {
  static PacketPool all(64, kLargestInput + kIpv6HeaderSize + kUdpHeaderSize);
  return all;
}

Packet packet_of(ConstBytes content) {
  Packet packet = pool().take();
  std::ranges::copy(content, packet.push_back(content.size()).begin());
  return packet;
}

PublicSide client(ListenerId listener, uint16_t port) {
  return {.listener = listener, .client = {Ip::v4(0xc6336407), port}, .local = Ip::v4(0xcb007101)};
}

/// What becomes of a client's payload.
PacketBatch send(Forwarder& forwarder, const PublicSide& side, ConstBytes payload) {
  PacketBatch inner;
  require(forwarder.from_public(side, packet_of(payload), kNow, pool(), inner) == Drop::kNone);
  return inner;
}

/// One service of each IP version, 10.1.2.2 and fd00::2, port 5000.  Two clients of each use up the SNAT ports 20000
/// and 20001, so that the corpus need not guess which port a flow has.
Forwarder forwarder_with_flows() {
  Settings settings;
  settings.our_v4 = Ip::parse("10.1.2.5");
  settings.our_v6 = Ip::parse("fd00::5");
  settings.first_snat_port = 20000;
  settings.last_snat_port = 20001;
  settings.rules.resize(2);
  settings.rules[0].listeners = {{.listen = {}, .to = *Endpoint::parse("10.1.2.2:5000")}};
  settings.rules[1].listeners = {{.listen = {}, .to = *Endpoint::parse("[fd00::2]:5000")}};
  Forwarder forwarder(std::move(settings));
  for (const ListenerId listener : {0u, 1u}) {
    for (const uint16_t port : {uint16_t{1}, uint16_t{2}}) {
      require(send(forwarder, client(listener, port), {}).size() == 1);
    }
  }
  return forwarder;
}

uint64_t drops_of(const Forwarder& forwarder) {
  return forwarder.drops().total() + forwarder.stats(0).drops.total() + forwarder.stats(1).drops.total();
}

void check_parsers(ConstBytes packet) {
  const std::optional<size_t> length = ip_length(packet);
  require(!length || *length <= packet.size());
  const ConstBytes start = udp_start(packet);
  require(start.empty() || (start.size() >= kUdpHeaderSize && is_part(start, packet)));
  const std::optional<UdpView> view = udp_view(packet);
  if (!view) return;
  require(start.data() == view->udp.data());
  require(length && is_part(view->ip_header, packet.first(*length)) && is_part(view->udp, packet.first(*length)));
  require(view->source.ip == source_of(packet) && view->destination.ip == destination_of(packet));
  if (!view->length_fits()) return;
  require(is_part(view->payload(), view->udp));
  static_cast<void>(view->checksum_fits());
}

void check_icmp_error(ConstBytes packet) {
  const std::optional<IcmpError> error = icmp_error(packet);
  if (!error) return;
  require(error->source.ip == destination_of(packet));
  require(error->source.ip.is_v4() == error->destination.ip.is_v4());
  const bool is_too_big = error->kind == IcmpError::Kind::kTooBig;
  require(is_too_big ? error->mtu >= (error->source.ip.is_v4() ? 68 : 1280) : error->mtu == 0);
}

void check_from_tunnel(Forwarder& forwarder, ConstBytes bytes) {
  Packet packet = packet_of(bytes);
  const std::string before(bytes.begin(), bytes.end());
  const uint8_t* const begin = packet.data();
  const uint64_t drops = drops_of(forwarder);
  PublicSide to;
  const Release release = forwarder.from_tunnel(packet, kNow, to);
  require((drops_of(forwarder) > drops) == (release == Release::kDropped));
  if (fragment_view(bytes)) return;  // others are about them: reassembly_fuzz.cc
  require(is_part(packet.bytes(), {begin, before.size()}));
  if (release == Release::kNotOurs) require(std::ranges::equal(packet.bytes(), bytes));
  if (release != Release::kToPublic) return;
  require(packet.size() + udp_overhead(to.listener == 0) <= before.size());
  require(to == client(to.listener, to.client.port) && to.listener <= 1);
  require(to.client.port == 1 || to.client.port == 2);
}

void repair_ipv4_checksum(Bytes header) {
  store_be16(&header[10], 0);
  store_be16(&header[10], checksum_finish(checksum_add(0, header)));
}

/// As below, of what may be an ICMP error of IPv4.
void repair_icmp(Packet& packet) {
  const Bytes bytes = packet.bytes();
  if (ip_length(bytes) != bytes.size() || bytes[0] != 0x45 || bytes[9] != 1 || bytes.size() < 28) return;
  repair_ipv4_checksum(bytes.first(kIpv4HeaderSize));
  const Bytes message = bytes.subspan(kIpv4HeaderSize);
  store_be16(&message[2], 0);
  store_be16(&message[2], checksum_finish(checksum_add(0, message)));
}

/// The fuzzer cannot compute checksums; with these right it gets past them.
void repair_checksums(Packet& packet) {
  const std::optional<UdpView> view = udp_view(packet.bytes());
  if (!view || view->ip_header[0] >> 4 != 4) return;
  const size_t header_size = view->ip_header.size();
  const Bytes bytes = packet.bytes();
  store_be16(&bytes[header_size + 6], 0);
  repair_ipv4_checksum(bytes.first(header_size));
}

/// What a client sends reaches the service whole, and an echo of it reaches the client.
void check_there_and_back(Forwarder& forwarder, ConstBytes payload) {
  const PublicSide side = client(payload.size() % 2, 1 + (payload.size() >> 1) % 2);
  PacketBatch inner = send(forwarder, side, payload);
  const bool fits = payload.size() + udp_overhead(side.listener == 0) <= 1420;
  require(fits == (inner.size() == 1));
  if (!fits) return;
  Packet packet = std::move(inner.front());
  const std::optional<UdpView> view = udp_view(packet.bytes());
  require(view && view->length_fits() && view->checksum_fits() && std::ranges::equal(view->payload(), payload));
  Packet echo = packet_of(payload);
  push_udp(echo, view->destination, view->source);
  PublicSide to;
  require(forwarder.from_tunnel(echo, kNow, to) == Release::kToPublic);
  require(to == side && std::ranges::equal(echo.bytes(), payload));
}

void check(ConstBytes bytes) {
  if (bytes.size() > kLargestInput) return;
  check_parsers(bytes);
  Forwarder forwarder = forwarder_with_flows();
  check_from_tunnel(forwarder, bytes);
  Packet repaired = packet_of(bytes);
  repair_checksums(repaired);
  check_from_tunnel(forwarder, repaired.bytes());
  check_icmp_error(bytes);
  repair_icmp(repaired);
  check_icmp_error(repaired.bytes());
  require(forwarder.stats(0).flows == 2 && forwarder.stats(1).flows == 2);
  Forwarder fresh = forwarder_with_flows();  // that other may have heard of a smaller MTU
  check_there_and_back(fresh, bytes);
}

}  // namespace
}  // namespace adit::forward

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  adit::forward::check({data, size});
  return 0;
}
