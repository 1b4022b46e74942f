#include "tunnel/cookie.h"

#include <algorithm>
#include <string_view>

#include "crypto/random.h"

namespace adit::tunnel {
namespace {

constexpr std::string_view kLabelMac1 = "mac1----";
constexpr std::string_view kLabelCookie = "cookie--";

crypto::Hash hash_labelled(std::string_view label, const crypto::PublicKey& key) noexcept {
  return crypto::blake2s({{reinterpret_cast<const uint8_t*>(label.data()), label.size()}, key.bytes});
}

/// Both macs stand at the end; mac2 covers mac1.
ConstBytes before_mac1(ConstBytes message) noexcept { return message.first(message.size() - 2 * crypto::kMacSize); }
ConstBytes before_mac2(ConstBytes message) noexcept { return message.first(message.size() - crypto::kMacSize); }
ConstBytes mac1_of(ConstBytes message) noexcept {
  return message.subspan(message.size() - 2 * crypto::kMacSize, crypto::kMacSize);
}
ConstBytes mac2_of(ConstBytes message) noexcept { return message.last(crypto::kMacSize); }

bool mac1_fits(const MacKey& key, ConstBytes message) noexcept {
  const crypto::Mac expected = crypto::blake2s_mac(key, {before_mac1(message)});
  return crypto::equal_constant_time(expected, mac1_of(message));
}

}  // namespace

MacKey mac1_key(const crypto::PublicKey& responder) noexcept { return hash_labelled(kLabelMac1, responder); }

crypto::SymmetricKey cookie_key(const crypto::PublicKey& responder) noexcept {
  return crypto::SymmetricKey(hash_labelled(kLabelCookie, responder));
}

bool CookieChecker::mac1_fits(ConstBytes message) const noexcept { return adit::tunnel::mac1_fits(mac1_key_, message); }

bool CookieChecker::has_mac2(ConstBytes message) noexcept {
  return std::ranges::any_of(mac2_of(message), [](uint8_t byte) { return byte != 0; });
}

bool CookieChecker::mac2_fits(ConstBytes message, const Endpoint& from, Time now) noexcept {
  const crypto::Mac cookie = cookie_for(from, now);
  const crypto::Mac expected = crypto::blake2s_mac(cookie, {before_mac2(message)});
  return crypto::equal_constant_time(expected, mac2_of(message));
}

crypto::Mac CookieChecker::cookie_for(const Endpoint& from, Time now) noexcept {
  if (!secret_born_ || now - *secret_born_ > kCookieSecretMaxAge) {
    crypto::random_bytes(secret_.bytes());
    secret_born_ = now;
  }
  std::array<uint8_t, 2> port;
  store_be16(port.data(), from.port);
  return crypto::blake2s_mac(secret_.bytes(), {from.ip.bytes(), port});
}

void CookieChecker::create_reply(ConstBytes message, uint32_t sender, const Endpoint& from, Time now,
                                 CookieReplyMessage& reply) noexcept {
  put_type(reply.type, MessageType::kCookieReply);
  put_u32(reply.receiver, sender);
  crypto::random_bytes(reply.nonce);
  crypto::xseal(cookie_key_, reply.nonce, mac1_of(message), cookie_for(from, now), reply.sealed_cookie);
}

bool CookieJar::is_addressee(ConstBytes message) const noexcept { return mac1_fits(mac1_key_, message); }

void CookieJar::add_macs(Bytes message, Time now) noexcept {
  const crypto::Mac mac1 = crypto::blake2s_mac(mac1_key_, {before_mac1(message)});
  std::ranges::copy(mac1, message.end() - 2 * crypto::kMacSize);
  last_mac1_ = mac1;

  crypto::Mac mac2{};
  // The peer may renew its secret at any time up to its age limit: stop a little before.
  if (cookie_born_ && now - *cookie_born_ < kCookieSecretMaxAge - kCookieLatency) {
    mac2 = crypto::blake2s_mac(cookie_, {before_mac2(message)});
  }
  std::ranges::copy(mac2, message.end() - crypto::kMacSize);
}

bool CookieJar::consume_reply(const CookieReplyMessage& reply, Time now) noexcept {
  if (!last_mac1_) return false;
  crypto::Mac cookie;
  if (!crypto::xopen(cookie_key_, reply.nonce, *last_mac1_, reply.sealed_cookie, cookie)) return false;
  cookie_ = cookie;
  cookie_born_ = now;
  last_mac1_.reset();
  return true;
}

}  // namespace adit::tunnel
