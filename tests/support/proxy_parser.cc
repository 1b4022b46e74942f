#include "tests/support/proxy_parser.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <vector>

namespace adit::test {
namespace {

Ip ip_of(const unsigned char* bytes, bool v4) {
  if (v4) return Ip::v4(std::span<const uint8_t, 4>(bytes, 4));
  return Ip::v6(std::span<const uint8_t, 16>(bytes, 16));
}

std::optional<Ip> parse_ip(const std::string& text, bool v4) {
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(v4 ? AF_INET : AF_INET6, text.c_str(), bytes.data()) != 1) return {};
  return ip_of(bytes.data(), v4);
}

/// "in range [0..65535]", decimal, without leading zeros.
std::optional<uint16_t> parse_port(const std::string& text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != text.npos) return {};
  if (text.size() > 1 && text[0] == '0') return {};
  const unsigned long port = std::stoul(text);
  if (port > 65535) return {};
  return static_cast<uint16_t>(port);
}

/// "exactly one space" between words.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words(1);
  for (const char letter : line) {
    if (letter == ' ') {
      words.emplace_back();
    } else {
      words.back() += letter;
    }
  }
  return words;
}

}  // namespace

std::optional<ProxiedConnection> parse_proxy_v1(const std::string& header) {
  if (header.size() > 107 || !header.ends_with("\r\n")) return {};
  const std::string line = header.substr(0, header.size() - 2);
  if (line.find_first_of(std::string("\r\n\0", 3)) != line.npos) return {};
  const std::vector<std::string> words = words_of(line);
  if (words.size() != 6 || words[0] != "PROXY") return {};
  if (words[1] != "TCP4" && words[1] != "TCP6") return {};
  const bool v4 = words[1] == "TCP4";
  const auto client = parse_ip(words[2], v4), local = parse_ip(words[3], v4);
  const auto client_port = parse_port(words[4]), local_port = parse_port(words[5]);
  if (!client || !local || !client_port || !local_port) return {};
  return ProxiedConnection{{*client, *client_port}, {*local, *local_port}};
}

std::optional<ProxiedConnection> parse_proxy_v2(const std::string& header) {
  static const std::string kSignature("\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A", 12);
  if (header.size() < 16 || header.compare(0, 12, kSignature) != 0) return {};
  const auto* bytes = reinterpret_cast<const unsigned char*>(header.data());
  if (bytes[12] != 0x21) return {};                       // version 2, PROXY
  if (bytes[13] != 0x11 && bytes[13] != 0x21) return {};  // AF_INET or AF_INET6, STREAM
  const bool v4 = bytes[13] == 0x11;
  const size_t address = v4 ? 4 : 16;
  const size_t length = 256u * bytes[14] + bytes[15];
  if (length != 2 * address + 4 || header.size() != 16 + length) return {};
  const unsigned char* ports = bytes + 16 + 2 * address;
  const auto port = [&](size_t i) { return static_cast<uint16_t>(256 * ports[2 * i] + ports[2 * i + 1]); };
  return ProxiedConnection{{ip_of(bytes + 16, v4), port(0)}, {ip_of(bytes + 16 + address, v4), port(1)}};
}

}  // namespace adit::test
