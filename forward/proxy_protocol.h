// The header that tells a service behind a relay who its client is (haproxy's PROXY protocol, versions 1 and 2):
// https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt
#pragma once

#include <array>
#include <cstdint>

#include "net/addr.h"

namespace adit::forward {

/// A header for a TCP connection.  Both endpoints are of the accepted socket, and so of one IP version.
class ProxyHeader {
 public:
  /// Version 1 is a line of at most 107 bytes; version 2 has 28 bytes for IPv4 and 52 for IPv6.
  static constexpr size_t kMaxSize = 107;

  /// "PROXY TCP4 192.0.2.7 192.0.2.1 4000 80\r\n"
  static ProxyHeader v1(const Endpoint& client, const Endpoint& local);
  static ProxyHeader v2(const Endpoint& client, const Endpoint& local) noexcept;

  [[nodiscard]] ConstBytes bytes() const noexcept { return ConstBytes(bytes_).first(size_); }

 private:
  void append(ConstBytes bytes) noexcept;

  std::array<uint8_t, kMaxSize> bytes_{};
  size_t size_ = 0;
};

}  // namespace adit::forward
