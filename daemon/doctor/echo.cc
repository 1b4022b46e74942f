#include "daemon/doctor/echo.h"

#include <algorithm>

#include "net/checksum.h"

namespace adit::doctor {
namespace {

constexpr size_t kIcmpHeader = 8;
constexpr size_t kSizeAt = kIcmpHeader + 8;  // behind the mark

constexpr uint8_t request_type(bool v4) noexcept { return v4 ? 8 : 128; }
constexpr uint8_t reply_type(bool v4) noexcept { return v4 ? 0 : 129; }

}  // namespace

std::vector<uint8_t> echo_request(bool v4, uint16_t size, uint64_t mark) {
  std::vector<uint8_t> message(size - ip_header_size(v4));
  message[0] = request_type(v4);
  store_be16(&message[4], static_cast<uint16_t>(mark));
  store_be16(&message[6], size);
  store_le64(&message[kIcmpHeader], mark);
  store_be16(&message[kSizeAt], size);
  if (v4) store_be16(&message[2], checksum_finish(checksum_add(0, message)));
  return message;
}

std::optional<uint16_t> answered_size(ConstBytes message, bool v4, uint64_t mark) {
  if (message.size() < kSmallestEcho - ip_header_size(v4) || message[0] != reply_type(v4)) return {};
  const uint16_t size = load_be16(&message[kSizeAt]);
  if (size != message.size() + ip_header_size(v4)) return {};
  const std::vector<uint8_t> asked = echo_request(v4, size, mark);
  const bool is_ours = std::ranges::equal(message.subspan(kIcmpHeader), ConstBytes(asked).subspan(kIcmpHeader));
  return is_ours ? std::optional(size) : std::nullopt;
}

}  // namespace adit::doctor
