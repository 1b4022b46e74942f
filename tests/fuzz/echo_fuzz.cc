// ICMP messages that may answer a ping of adit doctor's: whatever they are, only a request's own payload is an answer.
#include <cstdlib>

#include "daemon/doctor/echo.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint64_t kMark = 0x6d61726b6d61726b;  // the corpus has it
  for (const bool v4 : {true, false}) {
    const auto answered = adit::doctor::answered_size({data, size}, v4, kMark);
    if (answered && *answered != size + adit::doctor::ip_header_size(v4)) std::abort();
  }
  return 0;
}
