#include "forward/proxy_protocol.h"

#include <cassert>
#include <string>

namespace adit::forward {

ProxyHeader ProxyHeader::v1(const Endpoint& client, const Endpoint& local) {
  assert(client.ip.is_v4() == local.ip.is_v4());
  std::string line = client.ip.is_v4() ? "PROXY TCP4 " : "PROXY TCP6 ";
  line += client.ip.to_string() + " " + local.ip.to_string() + " ";
  line += std::to_string(client.port) + " " + std::to_string(local.port) + "\r\n";
  ProxyHeader header;
  header.append({reinterpret_cast<const uint8_t*>(line.data()), line.size()});
  return header;
}

//      0                   1                   2                   3
//     +---------------------------------------------------------------+
//     |  signature, 12 bytes                                          |
//     +---------------+---------------+-------------------------------+
//  12 | version 2,    | family,       |  bytes that follow            |
//     | command PROXY | stream        |                               |
//     +---------------+---------------+-------------------------------+
//  16 |  client's address, local address: 4 or 16 bytes each          |
//     +-------------------------------+-------------------------------+
//     |  client's port                |  local port                   |
//     +-------------------------------+-------------------------------+
ProxyHeader ProxyHeader::v2(const Endpoint& client, const Endpoint& local) noexcept {
  assert(client.ip.is_v4() == local.ip.is_v4());
  static constexpr std::array<uint8_t, 12> kSignature = {'\r', '\n', '\r', '\n', 0,   '\r',
                                                         '\n', 'Q',  'U',  'I',  'T', '\n'};
  constexpr uint8_t kProxy = 0x21;
  constexpr uint8_t kTcpOverIpv4 = 0x11;
  constexpr uint8_t kTcpOverIpv6 = 0x21;
  std::array<uint8_t, 4> fixed{kProxy, client.ip.is_v4() ? kTcpOverIpv4 : kTcpOverIpv6};
  store_be16(&fixed[2], static_cast<uint16_t>(2 * client.ip.bytes().size() + 4));
  std::array<uint8_t, 4> ports{};
  store_be16(ports.data(), client.port);
  store_be16(&ports[2], local.port);
  ProxyHeader header;
  header.append(kSignature);
  header.append(fixed);
  header.append(client.ip.bytes());
  header.append(local.ip.bytes());
  header.append(ports);
  return header;
}

void ProxyHeader::append(ConstBytes bytes) noexcept {
  assert(size_ + bytes.size() <= bytes_.size());
  copy_bytes(bytes, bytes_.data() + size_);
  size_ += bytes.size();
}

}  // namespace adit::forward
