#include "daemon/tunnel_sockets.h"

#include <optional>
#include <system_error>

namespace adit::daemon {
namespace {

constexpr int kPortAttempts = 100;

Endpoint any_v4(uint16_t port) { return {Ip::v4(0), port}; }
Endpoint any_v6(uint16_t port) { return {Ip(), port}; }

bool version_is_missing(const std::system_error& error) {
  return error.code() == std::errc::address_family_not_supported || error.code() == std::errc::address_not_available ||
         error.code() == std::errc::protocol_not_supported;
}

std::optional<UdpSocket> bind_if_supported(const Endpoint& local, const Offloads& offloads) {
  try {
    return UdpSocket::bind(local, offloads);
  } catch (const std::system_error& error) {
    if (!version_is_missing(error)) throw;
    return {};
  }
}

}  // namespace

std::vector<UdpSocket> bind_tunnel_sockets(uint16_t port, const Offloads& offloads) {
  for (int attempt = 1;; ++attempt) {
    std::vector<UdpSocket> sockets;
    if (auto v4 = bind_if_supported(any_v4(port), offloads)) sockets.push_back(std::move(*v4));
    const uint16_t common = sockets.empty() ? port : sockets.front().local().port;
    try {
      if (auto v6 = bind_if_supported(any_v6(common), offloads)) sockets.push_back(std::move(*v6));
    } catch (const std::system_error& error) {
      // The port that IPv4 was given happens to be taken on IPv6: draw another.
      const bool retry = port == 0 && error.code() == std::errc::address_in_use && attempt < kPortAttempts;
      if (!retry) throw;
      continue;
    }
    if (sockets.empty()) throw std::system_error(EAFNOSUPPORT, std::generic_category(), "bind udp: no IPv4, no IPv6");
    return sockets;
  }
}

std::vector<std::vector<UdpSocket>> bind_tunnel_sockets_for(size_t workers, uint16_t port, const Offloads& offloads) {
  std::vector<std::vector<UdpSocket>> all;
  all.push_back(bind_tunnel_sockets(port, offloads));
  while (all.size() < workers) {
    std::vector<UdpSocket> more;
    for (UdpSocket& first : all.front()) more.push_back(first.bind_beside(offloads));
    all.push_back(std::move(more));
  }
  return all;
}

}  // namespace adit::daemon
