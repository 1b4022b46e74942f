#include "daemon/doctor/words.h"

#include <array>
#include <ctime>
#include <system_error>

namespace adit::doctor {

std::string with(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string open_port(const Advice& advice, uint16_t port, bool tcp) {
  return with(with(advice.open_port, "PORT", std::to_string(port)), "PROTOCOL", tcp ? "tcp" : "udp");
}

std::string file_of(const Facts& facts) { return facts.config_file.empty() ? "the configuration" : facts.config_file; }

std::string then_reload(const Facts& facts) { return "then: adit reload " + facts.interface; }

std::string reason(int error) { return std::generic_category().message(error); }

std::string time_text(UnixTime time) {
  const auto seconds = static_cast<std::time_t>(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text.data();
}

}  // namespace adit::doctor
