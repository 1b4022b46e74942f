#include "daemon/http_headers.h"

#include <gtest/gtest.h>

namespace adit::daemon {
namespace {

TEST(HttpHost, IsAnAddressOrLocalhostWithAnyPort) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:9586", "[::1]", "[::1]:9586", "localhost", "LocalHost:8080",
                           "192.0.2.1:80", "[2001:db8::1]:65535", "localhost:"}) {
    EXPECT_TRUE(is_by_address(host)) << host;
  }
}

TEST(HttpHost, IsNoOtherName) {
  for (const char* host : {"",
                           ":9586",
                           "example.org",
                           "localhost.example.org",
                           "localhost.",
                           "localhost:9586.example.org",
                           "127.0.0.1.nip.io",
                           "::1",
                           "[::1",
                           "[::1]x",
                           "[127.0.0.1]",
                           "[localhost]",
                           "[]",
                           "127.1",
                           "2130706433",
                           "0x7f000001",
                           "127.0.0.1:95 86",
                           "127.0.0.1:123456",
                           "user@127.0.0.1",
                           "127.0.0.1, example.org",
                           "localhost\n"}) {
    EXPECT_FALSE(is_by_address(host)) << host;
  }
}

TEST(HttpAccept, TakesOpenMetricsWhereItIsWanted) {
  for (const char* accept : {
           "application/openmetrics-text",
           "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
           "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
           "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5",
           "text/plain;q=0.5, Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=0.501",
           "text/plain, application/openmetrics-text",
           "application/openmetrics-text;q=0.001",
       }) {
    EXPECT_TRUE(prefers_openmetrics(accept)) << accept;
  }
}

TEST(HttpAccept, TakesPlainTextOtherwise) {
  for (const char* accept : {
           "",
           "*/*",
           "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
           "text/plain, application/openmetrics-text;q=0.9",
           "application/openmetrics-text;q=0",
           "application/openmetrics-text;q=0.000",
           "application/openmetrics-text;q=2",
           "application/openmetrics-text;q=nonsense",
           "application/openmetrics-text;q=",
           "application/openmetrics-text;version=2.0.0",
           "application/openmetrics-textual",
           ",;=,;;==,",
       }) {
    EXPECT_FALSE(prefers_openmetrics(accept)) << accept;
  }
}

}  // namespace
}  // namespace adit::daemon
