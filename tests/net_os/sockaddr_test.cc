#include "net/sockaddr.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>

namespace adit {
namespace {

TEST(Sockaddr, HoldsIpv4InNetworkOrder) {
  sockaddr_storage storage{};
  ASSERT_EQ(to_sockaddr({*Ip::parse("192.0.2.1"), 51820}, storage), sizeof(sockaddr_in));
  sockaddr_in v4;
  std::memcpy(&v4, &storage, sizeof v4);
  EXPECT_EQ(v4.sin_family, AF_INET);
  EXPECT_EQ(v4.sin_port, htons(51820));
  EXPECT_EQ(v4.sin_addr.s_addr, inet_addr("192.0.2.1"));
}

TEST(Sockaddr, HoldsIpv6WithItsScope) {
  sockaddr_storage storage{};
  ASSERT_EQ(to_sockaddr({*Ip::parse("fe80::1"), 51820, 7}, storage), sizeof(sockaddr_in6));
  sockaddr_in6 v6;
  std::memcpy(&v6, &storage, sizeof v6);
  EXPECT_EQ(v6.sin6_family, AF_INET6);
  EXPECT_EQ(v6.sin6_port, htons(51820));
  EXPECT_EQ(v6.sin6_addr.s6_addr[0], 0xfe);
  EXPECT_EQ(v6.sin6_addr.s6_addr[15], 1);
  EXPECT_EQ(v6.sin6_scope_id, 7u);
}

TEST(Sockaddr, GivesBackWhatItTook) {
  for (const Endpoint& endpoint : {Endpoint{*Ip::parse("192.0.2.1"), 1}, Endpoint{*Ip::parse("0.0.0.0"), 0},
                                   Endpoint{*Ip::parse("2001:db8::1"), 65535}, Endpoint{*Ip::parse("fe80::2"), 9, 3}}) {
    sockaddr_storage storage{};
    to_sockaddr(endpoint, storage);
    EXPECT_EQ(from_sockaddr(storage), endpoint) << endpoint.to_string();
  }
}

}  // namespace
}  // namespace adit
