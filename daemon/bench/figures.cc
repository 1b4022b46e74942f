#include "daemon/bench/figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "daemon/lab/text.h"

namespace adit::bench {
namespace {

/// Three digits, or all before the point.
std::string short_text(double value) {
  const int digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

using Line = std::vector<std::string>;

/// The first two columns to the left, numbers to the right.
std::string aligned(const std::vector<Line>& lines) {
  std::vector<size_t> widths(lines.front().size());
  for (const Line& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], lab::width_of(line[i]));
  }
  std::string text;
  for (const Line& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      text += i < 2 ? lab::left(line[i], widths[i]) : lab::right(line[i], widths[i]);
      text += i + 1 < line.size() ? "  " : "\n";
    }
  }
  return text;
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t half = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

std::string spread_text(const std::vector<double>& values) {
  const Spread spread = spread_of(values);
  if (values.size() == 1) return short_text(spread.median);
  return short_text(spread.median) + " (" + short_text(spread.lowest) + "-" + short_text(spread.highest) + ")";
}

Json spread_json(const std::vector<double>& values) {
  const Spread spread = spread_of(values);
  return {{"median", spread.median}, {"lowest", spread.lowest}, {"highest", spread.highest}, {"rounds", values}};
}

double quantile_us(const std::vector<Duration>& values, double share) {
  std::vector<Duration> sorted = values;
  const auto rank = static_cast<size_t>(std::floor(share * static_cast<double>(sorted.size())));
  const auto place = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(rank, sorted.size() - 1));
  std::ranges::nth_element(sorted, place);
  return to_seconds(*place) * 1e6;
}

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void Results::add(const Figure& figure, const std::string& contestant, double value) {
  auto row = std::ranges::find_if(rows_, [&](const Row& each) { return each.figure.key == figure.key; });
  if (row == rows_.end()) row = rows_.insert(rows_.end(), {figure, {}});
  row->values[contestant].push_back(value);
}

std::vector<double> Results::ratios(const Row& row, const std::string& contestant) const {
  const std::vector<double>& ours = row.values.at(contestant);
  const std::vector<double>& theirs = row.values.at(contestants_.back());
  std::vector<double> all;
  for (size_t i = 0; i < ours.size(); ++i) all.push_back(ours[i] / theirs[i]);
  return all;
}

std::vector<std::string> Results::cells(const Row& row, bool ratio_spreads) const {
  Line line = {row.figure.name, row.figure.unit};
  for (const std::string& each : contestants_) line.push_back(spread_text(row.values.at(each)));
  for (size_t i = 0; i + 1 < contestants_.size(); ++i) {
    const std::vector<double> all = ratios(row, contestants_[i]);
    line.push_back(ratio_spreads ? spread_text(all) : short_text(spread_of(all).median));
  }
  return line;
}

std::string Results::table(bool ratio_spreads) const {
  std::vector<Line> lines = {{"", ""}};
  lines.front().insert(lines.front().end(), contestants_.begin(), contestants_.end());
  for (size_t i = 0; i + 1 < contestants_.size(); ++i) {
    lines.front().push_back(contestants_[i] + "/" + contestants_.back());
  }
  for (const Row& row : rows_) lines.push_back(cells(row, ratio_spreads));
  return aligned(lines);
}

Json Results::json() const {
  Json all = Json::object();
  for (const Row& row : rows_) {
    Json figure = {{"name", row.figure.name},
                   {"unit", row.figure.unit},
                   {"better", row.figure.more_is_better ? "more" : "less"},
                   {"of", Json::object()}};
    for (const std::string& each : contestants_) figure["of"][each] = spread_json(row.values.at(each));
    for (size_t i = 0; i + 1 < contestants_.size(); ++i) {
      figure["ratios"][contestants_[i]] = spread_json(ratios(row, contestants_[i]));
    }
    all[row.figure.key] = std::move(figure);
  }
  return all;
}

}  // namespace adit::bench
