#include "daemon/kit/addresses.h"

#include <algorithm>
#include <array>

namespace adit::daemon {
namespace {

bool is_within_any(const Ip& ip, std::initializer_list<const char*> networks) {
  return std::ranges::any_of(networks, [&](const char* network) { return Prefix::parse(network)->contains(ip); });
}

Prefix random_v4(const char* within, const Random& random) {
  const Prefix range = *Prefix::parse(within);
  uint32_t address = 0;
  for (const uint8_t byte : range.ip.bytes()) address = address << 8 | byte;
  const uint32_t own_bits = UINT32_MAX >> range.length;
  return Prefix::of(Ip::v4(address | (random() & own_bits)), 24);
}

}  // namespace

std::optional<Prefix> choose_network(const std::vector<Prefix>& taken, const Random& random) {
  const auto is_free = [&](const Prefix& network) {
    return std::ranges::none_of(taken, [&](const Prefix& other) { return network.overlaps(other); });
  };
  // The upper half of 10/8: people and routers number from the bottom.
  for (const char* within : {"10.128.0.0/9", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}) {
    for (int tries = 0; tries < 64; ++tries) {
      const Prefix network = random_v4(within, random);
      if (is_free(network)) return network;
    }
  }
  return {};
}

Prefix choose_network6(const Random& random) {
  const uint64_t global_id = (uint64_t{random()} << 32 | random()) & 0xffffffffff;  // 40 bits
  std::array<uint8_t, 16> bytes{0xfd};
  for (size_t i = 0; i < 5; ++i) bytes[1 + i] = static_cast<uint8_t>(global_id >> (32 - 8 * i));
  return Prefix::of(Ip::v6(bytes), 64);
}

bool is_public(const Ip& ip) {
  if (ip.is_v6()) return is_within_any(ip, {"2000::/3"});
  return !ip.is_multicast() && !is_within_any(ip, {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
                                                   "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "240.0.0.0/4"});
}

bool holds_both_ends(const Prefix& network) { return network.length + 2 <= static_cast<int>(network.ip.bits()); }

Ip host_of(const Prefix& network, uint32_t host) {
  std::array<uint8_t, 16> bytes{};
  const ConstBytes from = network.ip.bytes();
  std::ranges::copy(from, bytes.begin());
  bytes[from.size() - 1] = static_cast<uint8_t>(bytes[from.size() - 1] | host);
  return network.ip.is_v4() ? Ip::v4(std::span<const uint8_t, 4>(bytes.data(), 4)) : Ip::v6(bytes);
}

std::vector<std::string> tunnel_addresses(const KitRequest& request, uint32_t host) {
  std::vector<std::string> texts;
  const auto add = [&](const Prefix& network) {
    texts.push_back(host_of(network, host).to_string() + "/" + std::to_string(network.length));
  };
  add(request.network);
  if (request.network6) add(*request.network6);
  return texts;
}

std::vector<std::string> single_addresses(const KitRequest& request, uint32_t host) {
  std::vector<std::string> texts = {host_of(request.network, host).to_string() + "/32"};
  if (request.network6) texts.push_back(host_of(*request.network6, host).to_string() + "/128");
  return texts;
}

std::string in_scp(const std::string& host) { return host.find(':') == host.npos ? host : "[" + host + "]"; }

}  // namespace adit::daemon
