// Figures: what was measured of whom, round by round, and how it is told: a table for people, JSON for programs.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "net/time.h"

namespace adit::bench {

using Json = nlohmann::ordered_json;

struct Spread {
  double median = 0;
  double lowest = 0;
  double highest = 0;
};
/// Of at least one value.
Spread spread_of(std::vector<double> values);
/// "7.52 (7.40-7.61)"; one value alone is without parentheses.
std::string spread_text(const std::vector<double>& values);
/// {"median": ..., "lowest": ..., "highest": ..., "rounds": [...]}
Json spread_json(const std::vector<double>& values);

/// The value below which `share` (0 to 1) of the sorted `values`, at least one, are; in microseconds.
double quantile_us(const std::vector<Duration>& values, double share);

double to_seconds(Duration duration);

struct Figure {
  std::string key;   // in JSON
  std::string name;  // for people
  std::string unit;
  bool more_is_better = false;
};

/// Some contestants; with the last one, when there are several, the others are compared.
class Results {
 public:
  explicit Results(std::vector<std::string> contestants) : contestants_(std::move(contestants)) {}

  /// One round's value.  Rounds are the same for all contestants of a figure: ratios are those within a round.
  void add(const Figure& figure, const std::string& contestant, double value);

  /// A line for each figure, in the order in which they were added first; ratios with their spread or without.
  [[nodiscard]] std::string table(bool ratio_spreads) const;
  [[nodiscard]] Json json() const;

 private:
  struct Row {
    Figure figure;
    std::map<std::string, std::vector<double>> values;
  };
  [[nodiscard]] std::vector<double> ratios(const Row& row, const std::string& contestant) const;
  [[nodiscard]] std::vector<std::string> cells(const Row& row, bool ratio_spreads) const;

  std::vector<std::string> contestants_;
  std::vector<Row> rows_;
};

/// What a benchmark has found, both ways.
struct Outcome {
  Json json;
  std::string text;
};

}  // namespace adit::bench
