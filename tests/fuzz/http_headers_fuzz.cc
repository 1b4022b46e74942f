// Whatever a client says, it is judged; a Host that passes has no more letters than "localhost" and addresses have; and
// what follows the last comma of an Accept header changes nothing about those who want OpenMetrics without a weight.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "daemon/http_headers.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool may_be_in_host(char letter) {
  constexpr std::string_view kLetters = "0123456789abcdefABCDEF.:[]localhstLOCALHST";
  return kLetters.find(letter) != kLetters.npos;
}

void check(const std::string& text) {
  if (adit::daemon::is_by_address(text)) require(text.size() <= 60 && std::ranges::all_of(text, may_be_in_host));
  (void)adit::daemon::prefers_openmetrics(text);
  require(adit::daemon::prefers_openmetrics("application/openmetrics-text," + text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check({data, data + size});
  return 0;
}
