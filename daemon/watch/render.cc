#include "daemon/watch/render.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daemon/text.h"
#include "daemon/watch/line.h"

namespace adit::watch {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kRateColumns = 15;  // "120000 packets/s" and a little less
constexpr size_t kWide = 76;         // room for both directions in one line
constexpr std::array<const char*, 8> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<const char*, 8> kAscii = {"_", ".", ":", "-", "=", "+", "*", "#"};

struct Picture {
  const History& history;
  int64_t now;
  size_t width;
  Style style;
  std::vector<std::string> lines;

  [[nodiscard]] Line line() const { return {width, style.colours}; }
  void add(const Line& line) { lines.push_back(line.text()); }
};

using RateText = std::string (*)(double);

/// One direction: name, rate and its last bars.
void add_rate(const Picture& picture, Line& line, const char* name, const std::string& counter, RateText text,
              size_t bars) {
  line.add(std::string("  ") + name);
  const size_t begin = picture.width - line.rest();
  line.add(text(picture.history.rate(counter))).pad_to(begin + kRateColumns).add(" ");
  line.add(sparkline(picture.history.rates(counter), std::min(bars, line.rest()), picture.style.unicode),
           Colour::kGreen);
}

void add_rates(Picture& picture, const std::string& in, const std::string& out, RateText text) {
  constexpr size_t kMostBars = History::kMostSamples - 1;
  const bool is_wide = picture.width >= kWide;
  const size_t half = picture.width / 2;
  Line line = picture.line();
  add_rate(picture, line, "in  ", in, text, is_wide ? half - kRateColumns - 8 : kMostBars);
  if (!is_wide) {
    picture.add(line);
    line = picture.line();
  } else {
    line.pad_to(half);
  }
  add_rate(picture, line, "out ", out, text, kMostBars);
  picture.add(line);
}

void add_heading(Picture& picture, const Json& interface) {
  Line line = picture.line();
  line.add(interface.at("name").get_ref<const std::string&>(), Colour::kBold);
  line.add("  udp port " + std::to_string(interface.at("listen_port").get<unsigned>()));
  for (const Json& address : interface.at("addresses")) line.add("  " + address.get<std::string>());
  picture.add(line);
}

void add_peer(Picture& picture, const Json& peer) {
  const std::string name = peer.at("name");
  const std::string key = peer.at("public_key");
  Line line = picture.line();
  line.add("peer ").add(name.empty() ? key : name, Colour::kBold);
  if (peer.at("latest_handshake").is_null()) {
    line.add("  no handshake yet", Colour::kRed);
  } else {
    const int64_t age = picture.now - peer.at("latest_handshake").get<int64_t>();
    line.add("  handshake " + daemon::short_span_text(age) + " ago");
  }
  if (!peer.at("endpoint").is_null()) line.add("  " + peer.at("endpoint").get<std::string>(), Colour::kDim);
  picture.add(line);
  add_rates(picture, History::of_peer(key, " in"), History::of_peer(key, " out"), daemon::bit_rate_text);
}

void add_forward(Picture& picture, const Json& forward) {
  const std::string name = forward.at("name");
  const auto flows = forward.at("flows").get<uint64_t>();
  const auto most = forward.at("max_flows").get<uint64_t>();
  Line line = picture.line();
  line.add("forward ").add(name, Colour::kBold).add("  ");
  line.add(std::to_string(flows) + " of " + std::to_string(most) + " flows",
           flows >= most ? Colour::kRed : Colour::kNone);
  if (!forward.value("service_is_reachable", true)) line.add("  service unreachable", Colour::kRed);
  line.add("  to " + forward.at("to").get<std::string>(), Colour::kDim);
  picture.add(line);
  const RateText text = forward.contains("packets_in") ? daemon::packet_rate_text : daemon::bit_rate_text;
  add_rates(picture, History::of_forward(name, " in"), History::of_forward(name, " out"), text);
}

/// As many to a line as fit; those that grow stand out, in words as well for who sees no colours.
void add_drops(Picture& picture, const Json& drops) {
  Line line = picture.line();
  line.add("drops");
  bool is_first = true;
  for (const auto& [name, count] : drops.items()) {
    const uint64_t growth = picture.history.growth(History::of_drop(name));
    std::string text = name + " " + std::to_string(count.get<uint64_t>());
    if (growth > 0) text += " (+" + std::to_string(growth) + ")";
    if (!is_first && columns_of(text) + 2 > line.rest()) {
      picture.add(line);
      line = picture.line();
      line.add("     ");
    }
    line.add("  ").add(text, growth > 0 ? Colour::kRed : Colour::kNone);
    is_first = false;
  }
  if (is_first) line.add("  none");
  picture.add(line);
}

}  // namespace

std::string sparkline(const std::vector<double>& rates, size_t width, bool unicode) {
  const size_t shown = std::min(width, rates.size());
  const auto begin = rates.end() - static_cast<std::ptrdiff_t>(shown);
  const double highest = shown == 0 ? 0 : *std::max_element(begin, rates.end());
  const auto& bars = unicode ? kBlocks : kAscii;
  std::string text;
  for (auto rate = begin; rate != rates.end(); ++rate) {
    // Whatever is not nothing is seen to be more than nothing.
    const double part = highest > 0 ? *rate / highest : 0;
    text += bars[static_cast<size_t>(std::ceil(part * static_cast<double>(bars.size() - 1)))];
  }
  return text;
}

std::vector<std::string> render(const Json& gateway, const History& history, int64_t now, size_t width,
                                const Style& style) {
  Picture picture{history, now, std::max(width, kLeastWidth), style, {}};
  add_heading(picture, gateway.at("interface"));
  const Json& peers = gateway.at("peers");
  for (size_t i = 0; i < std::min(peers.size(), kMostPeers); ++i) add_peer(picture, peers[i]);
  if (peers.size() > kMostPeers) {
    picture.add(picture.line().add("and " + std::to_string(peers.size() - kMostPeers) + " more peers"));
  }
  for (const Json& forward : gateway.at("forwards")) add_forward(picture, forward);
  add_drops(picture, gateway.at("drops"));
  return std::move(picture.lines);
}

std::vector<std::string> render_gone(const std::string& interface, size_t width, const Style& style) {
  Line line(std::max(width, kLeastWidth), style.colours);
  line.add(interface, Colour::kBold).add("  gateway is gone", Colour::kRed);
  return {line.text()};
}

}  // namespace adit::watch
