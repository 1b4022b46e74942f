#include "config/values.h"

#include <algorithm>
#include <charconv>

namespace adit::config {
namespace {

/// Letters and digits of ASCII, whatever the locale says.
bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <typename T>
std::optional<T> parse_whole(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

/// Letters, digits, `-`, `_` and dots between them; not something made of digits only, which is a mistyped address.
bool is_host_name(std::string_view text) {
  constexpr size_t kLongest = 253;  // RFC 1035 2.3.4, without the length bytes
  if (text.empty() || text.size() > kLongest || text.front() == '.' || text.find("..") != text.npos) return false;
  const auto is_allowed = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  const auto is_number = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  return std::ranges::all_of(text, is_allowed) && !std::ranges::all_of(text, is_number);
}

bool is_bracketed_host(std::string_view text) {
  const size_t percent = text.find('%');
  if (percent != text.npos && !is_interface_name(text.substr(percent + 1))) return false;
  const std::string_view address = text.substr(0, percent);
  return address.find(':') != address.npos && Ip::parse(address);
}

bool is_bare_host(std::string_view text) {
  return text.find(':') == text.npos && (Ip::parse(text) || is_host_name(text));
}

}  // namespace

char lower_case(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::string lower_case(std::string_view text) {
  std::string small(text);
  for (char& letter : small) letter = lower_case(letter);
  return small;
}

std::optional<Duration> parse_duration(std::string_view text) {
  constexpr uint32_t kYear = 365 * 24 * 3600;
  uint32_t unit = 1;
  if (text.ends_with('m')) unit = 60;
  if (text.ends_with('h')) unit = 3600;
  if (unit != 1 || text.ends_with('s')) text.remove_suffix(1);
  const auto count = parse_whole<uint32_t>(text);
  if (!count || *count > kYear / unit) return {};
  return seconds(*count * unit);
}

std::optional<uint32_t> parse_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return parse_whole<uint32_t>(text.substr(2), 16);
  return parse_whole<uint32_t>(text);
}

std::string InterfaceAddress::to_string() const { return ip.to_string() + "/" + std::to_string(prefix_length); }

std::optional<InterfaceAddress> parse_interface_address(std::string_view text) {
  const size_t slash = text.find('/');
  const auto ip = Ip::parse(text.substr(0, slash));
  if (!ip || ip->is_unspecified() || ip->is_multicast()) return {};
  if (slash == text.npos) return InterfaceAddress{*ip, static_cast<uint8_t>(ip->bits())};
  const auto length = parse_whole<uint8_t>(text.substr(slash + 1));
  if (!length || *length == 0 || *length > ip->bits()) return {};
  return InterfaceAddress{*ip, *length};
}

std::string PeerEndpoint::to_string() const {
  const bool is_v6 = host.find(':') != host.npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<PeerEndpoint> parse_peer_endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return {};
  std::string_view host = text.substr(0, colon);
  const auto port = parse_whole<uint16_t>(text.substr(colon + 1));
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  if (!port || *port == 0 || !(is_bracketed ? is_bracketed_host(host) : is_bare_host(host))) return {};
  return PeerEndpoint{std::string(host), *port};
}

std::optional<TableEntry> parse_table_entry(std::string_view text) {
  const bool excluded = text.starts_with('!');
  const auto prefix = Prefix::parse(excluded ? text.substr(1) : text);
  if (!prefix) return {};
  return TableEntry{*prefix, excluded};
}

bool is_interface_name(std::string_view text) {
  constexpr size_t kLongest = 15;  // IFNAMSIZ less the final zero
  if (text.empty() || text.size() > kLongest || text == "." || text == "..") return false;
  constexpr std::string_view kSigns = "_=+.-";
  return std::ranges::all_of(text, [&](char c) { return is_alphanumeric(c) || kSigns.find(c) != kSigns.npos; });
}

bool is_label(std::string_view text) {
  constexpr size_t kLongest = 63;
  const auto is_control = [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= kLongest && std::ranges::none_of(text, is_control);
}

}  // namespace adit::config
