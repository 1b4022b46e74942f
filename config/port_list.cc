#include "config/port_list.h"

#include <algorithm>
#include <charconv>

#include "config/problems.h"

namespace adit::config {
namespace {

std::string_view without_blanks(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// A port, or 0 for digits that are none.
uint16_t port_of(std::string_view digits) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} ? port : 0;
}

/// One port or range; what is wrong with it, or nothing.
std::optional<std::string> read_range(std::string_view text, PortRange& range) {
  const size_t dash = text.find('-');
  const std::string_view first = without_blanks(text.substr(0, dash));
  const std::string_view last = dash == text.npos ? first : without_blanks(text.substr(dash + 1));
  if (!is_number(first) || !is_number(last)) {
    return in_quotes(text) + " is not a port or a range of ports like 27015-27030";
  }
  range = {port_of(first), port_of(last)};
  if (range.first == 0) return in_quotes(first) + " is not a port: they are from 1 to 65535";
  if (range.last == 0) return in_quotes(last) + " is not a port: they are from 1 to 65535";
  if (range.first > range.last) return in_quotes(text) + " runs backwards: a range begins with its smaller port";
  return {};
}

}  // namespace

uint64_t count_ports(const PortList& list) noexcept {
  uint64_t count = 0;
  for (const PortRange& range : list) count += range.size();
  return count;
}

std::vector<uint16_t> all_ports(const PortList& list) {
  std::vector<uint16_t> ports;
  for (const PortRange& range : list) {
    for (uint32_t port = range.first; port <= range.last; ++port) ports.push_back(static_cast<uint16_t>(port));
  }
  return ports;
}

std::optional<uint16_t> repeated_port(PortList list) {
  std::ranges::sort(list, {}, &PortRange::first);
  // Of ranges sorted by their beginnings, if any two overlap then so do two neighbours.
  const auto overlap = [](const PortRange& one, const PortRange& next) { return next.first <= one.last; };
  const auto found = std::ranges::adjacent_find(list, overlap);
  if (found == list.end()) return {};
  return std::next(found)->first;
}

std::string to_string(PortRange range) {
  const std::string first = std::to_string(range.first);
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

std::string to_string(const PortList& list) {
  std::string text;
  for (const PortRange& range : list) text += (text.empty() ? "" : ",") + to_string(range);
  return text;
}

std::optional<std::string> read_ports(std::string_view text, PortList& list) {
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    auto fault = read_range(without_blanks(text.substr(begin, end - begin)), list.emplace_back());
    if (fault) return fault;
    begin = end + 1;
  }
  return {};
}

std::optional<AddressAndPorts> split_address(std::string_view text) {
  const bool is_bracketed = text.starts_with('[');
  const size_t bracket = text.find(']');
  if (is_bracketed && bracket == text.npos) return {};
  const std::string_view address = is_bracketed ? text.substr(1, bracket - 1) : text.substr(0, text.find(':'));
  const std::string_view rest = text.substr(is_bracketed ? bracket + 1 : address.size());
  const auto ip = Ip::parse(address);
  if (!ip || is_bracketed != (address.find(':') != address.npos)) return {};
  if (rest.empty()) return AddressAndPorts{*ip, {}};
  if (rest.front() != ':') return {};
  return AddressAndPorts{*ip, rest.substr(1)};
}

}  // namespace adit::config
