// Inner TCP and UDP packets with right lengths and checksums, written byte by byte: no code of net/ is used that net/'s
// tests are about, but for the checksum, which has tests of its own.
#pragma once

#include <algorithm>
#include <vector>

#include "net/bytes.h"
#include "net/checksum.h"

namespace adit::test {

struct Flow {
  bool v4 = true;
  bool tcp = true;
  uint8_t host = 1;  // last byte of the source address
  uint16_t port = 4000;
  size_t tcp_options = 12;
};

class IpPacket {
 public:
  explicit IpPacket(const Flow& flow, size_t payload, uint8_t first = 0) : flow_(flow) {
    bytes_.resize(headers() + payload);
    for (size_t i = 0; i < payload; ++i) bytes_[headers() + i] = static_cast<uint8_t>(first + i * 7 + i / 256);
    uint8_t* const ip = bytes_.data();
    if (flow.v4) {
      ip[0] = 0x45;
      store_be16(ip + 6, 0x4000);
      ip[8] = 64;
      ip[9] = flow.tcp ? 6 : 17;
      store_be32(ip + 12, 0x0a000000u + flow.host);
      store_be32(ip + 16, 0x0a000002);
    } else {
      ip[0] = 0x60;
      ip[6] = flow.tcp ? 6 : 17;
      ip[7] = 64;
      ip[8] = ip[24] = 0xfd;
      ip[23] = flow.host;
      ip[39] = 2;
    }
    store_be16(upper(), flow.port);
    store_be16(upper() + 2, 5201);
    if (flow.tcp) {
      upper()[12] = static_cast<uint8_t>((20 + flow.tcp_options) / 4 << 4);
      upper()[13] = 0x10;
      store_be16(upper() + 14, 501);
    }
    sign();
  }

  [[nodiscard]] size_t ip_header() const { return flow_.v4 ? 20 : 40; }
  [[nodiscard]] size_t headers() const { return ip_header() + (flow_.tcp ? 20 + flow_.tcp_options : 8); }
  uint8_t* ip() { return bytes_.data(); }
  uint8_t* upper() { return bytes_.data() + ip_header(); }
  uint8_t* payload() { return bytes_.data() + headers(); }

  IpPacket& sequence(uint32_t number) {
    store_be32(upper() + 4, number);
    return sign();
  }
  IpPacket& flags(uint8_t flags) {
    upper()[13] = flags;
    return sign();
  }
  IpPacket& identification(uint16_t number, bool dont_fragment) {
    store_be16(ip() + 4, number);
    store_be16(ip() + 6, dont_fragment ? 0x4000 : 0);
    return sign();
  }

  /// Lengths and checksums that fit what is there.
  IpPacket& sign() {
    const size_t upper_size = bytes_.size() - ip_header();
    if (flow_.v4) {
      store_be16(ip() + 2, static_cast<uint16_t>(bytes_.size()));
      store_be16(ip() + 10, 0);
      store_be16(ip() + 10, checksum_finish(checksum_add(0, ConstBytes(bytes_).first(20))));
    } else {
      store_be16(ip() + 4, static_cast<uint16_t>(upper_size));
    }
    if (!flow_.tcp) store_be16(upper() + 4, static_cast<uint16_t>(upper_size));
    store_be16(checksum(), 0);
    const uint16_t sum = checksum_finish(checksum_add(pseudo(), ConstBytes(bytes_).subspan(ip_header())));
    store_be16(checksum(), sum == 0 && !flow_.tcp ? 0xffff : sum);
    return *this;
  }
  /// As the kernel leaves it in a super-packet: the pseudo-header's part alone.
  IpPacket& leave_checksum() {
    store_be16(checksum(), static_cast<uint16_t>(~checksum_finish(pseudo())));
    return *this;
  }

  uint8_t* checksum() { return upper() + (flow_.tcp ? 16 : 6); }
  [[nodiscard]] const std::vector<uint8_t>& bytes() const { return bytes_; }
  std::vector<uint8_t>& bytes() { return bytes_; }

 private:
  [[nodiscard]] uint64_t pseudo() const {
    const ConstBytes all(bytes_);
    const size_t protocol = flow_.tcp ? 6 : 17;
    return checksum_add(protocol + bytes_.size() - ip_header(), flow_.v4 ? all.subspan(12, 8) : all.subspan(8, 32));
  }

  Flow flow_;
  std::vector<uint8_t> bytes_;
};

}  // namespace adit::test
