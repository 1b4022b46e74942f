#include "daemon/bench/chart.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace adit::bench {
namespace {

// Lengths of the drawing, in its units: pixels, where it is not scaled.
constexpr int kWidth = 860;
constexpr int kMargin = 24;
constexpr int kNames = 190;    // left of the bars
constexpr int kNumbers = 190;  // right of them
constexpr int kLine = 20;
constexpr int kBar = 12;
constexpr double kLongest = kWidth - 2 * kMargin - kNames - kNumbers;

constexpr const char* kStyle = R"(<style>
  svg { font: 13px system-ui, sans-serif }
  .page { fill: #fff } text { fill: #222 } .quiet { fill: #666 } .title { font-weight: 600 }
  .first { fill: #1a73c8 } .other { fill: #b4bcc6 } .spread { stroke: #444; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #111418 } text { fill: #eee } .quiet { fill: #9aa }
    .first { fill: #58a0f0 } .other { fill: #5c6672 } .spread { stroke: #ddd }
  }
</style>
)";

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char each : text) {
    switch (each) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      default:
        safe += each;
    }
  }
  return safe;
}

std::string text_at(double x, double y, const std::string& text, const std::string& kind = "name") {
  return "<text class=\"" + kind + "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\">" + escaped(text) + "</text>\n";
}

/// Grows downwards.
class Drawing {
 public:
  void add_line(const std::string& text, const std::string& kind) {
    y_ += kLine;
    body_ += text_at(kMargin, y_, text, kind);
  }

  void add_figure(const Json& figure) {
    double largest = 0;
    for (const auto& [name, spread] : figure["of"].items())
      largest = std::max(largest, spread["highest"].get<double>());
    y_ += kLine / 2;
    add_line(figure["name"].get<std::string>() + ", " + figure["unit"].get<std::string>() + " (" +
                 figure["better"].get<std::string>() + " is better)",
             "title");
    bool is_first = true;
    for (const auto& [name, spread] : figure["of"].items()) {
      add_bar(name, spread, largest > 0 ? kLongest / largest : 0, is_first ? "first" : "other");
      is_first = false;
    }
  }

  [[nodiscard]] std::string finish() const {
    const std::string size = std::to_string(kWidth) + "\" height=\"" + number(y_ + kMargin);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + size + "\">\n" + kStyle +
           "<rect class=\"page\" width=\"" + size + "\"/>\n" + body_ + "</svg>\n";
  }

 private:
  void add_bar(const std::string& name, const Json& spread, double scale, const std::string& kind) {
    constexpr double kLeft = kMargin + kNames;
    add_line(name, "name");
    const auto length = [&](const char* of) { return spread[of].get<double>() * scale; };
    const double top = y_ - kBar + 2;
    body_ += "<rect class=\"" + kind + "\" x=\"" + number(kLeft) + "\" y=\"" + number(top) + "\" width=\"" +
             number(std::max(length("median"), 1.0)) + "\" height=\"" + std::to_string(kBar) + "\"/>\n";
    const std::string middle = number(top + kBar / 2.0);
    body_ += "<line class=\"spread\" x1=\"" + number(kLeft + length("lowest")) + "\" x2=\"" +
             number(kLeft + length("highest")) + "\" y1=\"" + middle + "\" y2=\"" + middle + "\"/>\n";
    body_ +=
        text_at(kLeft + length("highest") + 8, y_, spread_text(spread["rounds"].get<std::vector<double>>()), "quiet");
  }

  double y_ = kMargin;
  std::string body_;
};

}  // namespace

std::string chart_svg(const std::vector<std::string>& heading, const Json& figures) {
  Drawing drawing;
  for (const std::string& line : heading) drawing.add_line(line, line == heading.front() ? "title" : "quiet");
  for (const auto& [key, figure] : figures.items()) drawing.add_figure(figure);
  return drawing.finish();
}

}  // namespace adit::bench
