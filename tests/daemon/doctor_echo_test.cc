// Echo requests of `adit doctor`, and what answers them.
#include <gtest/gtest.h>

#include "daemon/doctor/echo.h"
#include "net/checksum.h"

namespace adit::doctor {
namespace {

TEST(Echo, IsAnsweredByItsOwnPayloadAndNothingElse) {
  constexpr uint64_t kMark = 0x1122334455667788;
  for (const bool v4 : {true, false}) {
    for (const uint16_t size : std::initializer_list<uint16_t>{64, 65, 1420, 65535}) {
      std::vector<uint8_t> message = echo_request(v4, size, kMark);
      ASSERT_EQ(message.size() + ip_header_size(v4), size);
      EXPECT_FALSE(answered_size(message, v4, kMark)) << "a request";
      message[0] = v4 ? 0 : 129;
      EXPECT_EQ(answered_size(message, v4, kMark), size);
      EXPECT_FALSE(answered_size(message, v4, kMark + 1)) << "another's";
      std::vector<uint8_t> longer = message;
      longer.push_back(0);
      EXPECT_FALSE(answered_size(longer, v4, kMark));
      message.back() ^= 1;
      EXPECT_FALSE(answered_size(message, v4, kMark)) << "changed on the way";
      message.pop_back();
      EXPECT_FALSE(answered_size(message, v4, kMark));
    }
    EXPECT_FALSE(answered_size({}, v4, kMark));
  }
  const std::vector<uint8_t> request = echo_request(true, 100, kMark);
  EXPECT_EQ(checksum_finish(checksum_add(0, request)), 0);
}

}  // namespace
}  // namespace adit::doctor
