#include <net/if.h>

#include <cerrno>
#include <charconv>
#include <optional>

#include "daemon/uapi.h"

namespace adit::daemon {
namespace {

/// Decimal digits and nothing else, up to the largest Number.
template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return {};
  return number;
}

std::optional<crypto::KeyBytes> key_of(std::string_view text) {
  if (text.size() != 2 * crypto::kKeySize) return {};
  crypto::KeyBytes key;
  for (size_t i = 0; i < key.size(); ++i) {
    const char* digits = text.data() + 2 * i;
    const auto [stop, error] = std::from_chars(digits, digits + 2, key[i], 16);
    if (error != std::errc() || stop != digits + 2) return {};
  }
  return key;
}

/// As every implementation does when it takes a private key (RFC 7748 5), so that get and set agree on what it is.
crypto::PrivateKey clamped(const crypto::KeyBytes& bytes) {
  crypto::PrivateKey key(bytes);
  if (key.is_zero()) return key;
  key.bytes().front() &= 248;
  key.bytes().back() = static_cast<uint8_t>((key.bytes().back() & 127) | 64);
  return key;
}

/// An address with its port; of a link-local one also the zone, by name or number: "[fe80::1%eth0]:51820".
std::optional<Endpoint> endpoint_of(std::string_view text) {
  const size_t zone = text.find('%');
  if (zone == text.npos) return Endpoint::parse(text);
  const size_t zone_end = text.find(']', zone);
  if (zone_end == text.npos) return {};
  const std::string name(text.substr(zone + 1, zone_end - zone - 1));
  const std::optional<uint32_t> number = number_of<uint32_t>(name);
  std::optional<Endpoint> endpoint = Endpoint::parse(std::string(text.substr(0, zone)).append(text.substr(zone_end)));
  const uint32_t scope = number ? *number : ::if_nametoindex(name.c_str());
  if (!endpoint || endpoint->ip.is_v4() || scope == 0) return {};
  endpoint->scope = scope;
  return endpoint;
}

bool is_true(std::string_view value) { return value == "true"; }

}  // namespace

int UapiSet::line(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == text.npos) return -EPROTO;
  const std::string_view key = text.substr(0, equals);
  const std::string_view value = text.substr(equals + 1);
  if (key == "public_key") return begin_peer(value) ? 0 : -EINVAL;
  if (in_peer_) return peer_line(key, value) ? 0 : -EINVAL;
  return -device_line(key, value);
}

void UapiSet::end() {
  end_peer();
  in_peer_ = false;
  target_.set_is_done();
}

// The interface itself.

int UapiSet::device_line(std::string_view key, std::string_view value) {
  if (key == "private_key") {
    const auto bytes = key_of(value);
    if (!bytes) return EINVAL;
    target_.set_private_key(clamped(*bytes));
    return 0;
  }
  if (key == "listen_port") {
    const auto port = number_of<uint16_t>(value);
    if (!port) return EINVAL;
    return target_.set_listen_port(*port) ? 0 : EADDRINUSE;
  }
  if (key == "fwmark") {
    const auto mark = number_of<uint32_t>(value);
    if (!mark) return EINVAL;
    return target_.set_fwmark(*mark) ? 0 : EADDRINUSE;  // wireguard-go's word for it, too
  }
  if (key != "replace_peers" || !is_true(value)) return EINVAL;
  target_.remove_all_peers();
  return 0;
}

// Its peers.

bool UapiSet::begin_peer(std::string_view value) {
  end_peer();
  in_peer_ = true;
  is_dummy_ = true;  // also when this line is bad
  const auto bytes = key_of(value);
  if (!bytes) return false;
  peer_ = {*bytes};
  is_dummy_ = target_.is_own_key(peer_);
  was_created_ = !is_dummy_ && !target_.has_peer(peer_);
  if (was_created_) target_.add_peer(peer_);
  return true;
}

void UapiSet::end_peer() {
  if (in_peer_ && !is_dummy_) target_.peer_is_set(peer_);
}

bool UapiSet::peer_line(std::string_view key, std::string_view value) {
  if (key == "allowed_ip") return allowed_ip(value);
  if (key == "protocol_version") return value == "1";
  if (key == "update_only" || key == "remove") {
    if (!is_true(value)) return false;
    if (key == "update_only" && !was_created_) return true;
    if (!is_dummy_) target_.remove_peer(peer_);
    is_dummy_ = true;
    return true;
  }
  if (key == "replace_allowed_ips") {
    if (is_true(value) && !is_dummy_) target_.disallow_all_ips(peer_);
    return is_true(value);
  }
  if (key == "preshared_key") {
    const auto bytes = key_of(value);
    if (bytes && !is_dummy_) target_.set_preshared_key(peer_, crypto::PresharedKey(*bytes));
    return bytes.has_value();
  }
  if (key == "endpoint") {
    const auto endpoint = endpoint_of(value);
    if (endpoint && !is_dummy_) target_.set_endpoint(peer_, *endpoint);
    return endpoint.has_value();
  }
  if (key == "persistent_keepalive_interval") {
    const auto interval = number_of<uint16_t>(value);
    if (interval && !is_dummy_) target_.set_persistent_keepalive(peer_, seconds(*interval));
    return interval.has_value();
  }
  return false;
}

bool UapiSet::allowed_ip(std::string_view value) {
  const bool removes = value.starts_with('-');
  if (removes) value.remove_prefix(1);
  const auto prefix = Prefix::parse(value);
  if (!prefix || value.find('/') == value.npos) return false;
  if (is_dummy_) return true;
  if (removes)
    target_.disallow_ip(peer_, *prefix);
  else
    target_.allow_ip(peer_, *prefix);
  return true;
}

}  // namespace adit::daemon
