// Any two endpoints of a version become a header that a parser of the specification reads as them; and whatever bytes
// that parser is given, it reads only what the header for its result says again.
#include <cstdlib>
#include <string>

#include "forward/proxy_protocol.h"
#include "tests/support/proxy_parser.h"

namespace adit::forward {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string text_of(const ProxyHeader& header) { return {header.bytes().begin(), header.bytes().end()}; }

void check_headers(const test::ProxiedConnection& told) {
  if (told.client.ip.is_v4() != told.local.ip.is_v4()) return;
  require(test::parse_proxy_v1(text_of(ProxyHeader::v1(told.client, told.local))) == told);
  require(test::parse_proxy_v2(text_of(ProxyHeader::v2(told.client, told.local))) == told);
}

void check(ConstBytes bytes) {
  const std::string text(bytes.begin(), bytes.end());
  if (const auto told = test::parse_proxy_v1(text)) check_headers(*told);
  if (const auto told = test::parse_proxy_v2(text)) check_headers(*told);
  if (bytes.size() >= 12) {
    check_headers(
        {{Ip::v4(bytes.first<4>()), load_be16(&bytes[4])}, {Ip::v4(bytes.subspan<6, 4>()), load_be16(&bytes[10])}});
  }
  if (bytes.size() >= 36) {
    check_headers(
        {{Ip::v6(bytes.first<16>()), load_be16(&bytes[16])}, {Ip::v6(bytes.subspan<18, 16>()), load_be16(&bytes[34])}});
  }
}

}  // namespace
}  // namespace adit::forward

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  adit::forward::check({data, size});
  return 0;
}
