#include "daemon/metrics.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "tests/daemon/status_lab.h"

namespace adit::daemon {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(std::istream& text) {
  Lines lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::string text_of(const Status& status, MetricsFormat format) {
  return metrics_text(status.config, status.snapshot, "1.2.3", format);
}

Lines lines_in(MetricsFormat format, const Status& status = some_status()) {
  std::istringstream text(text_of(status, format));
  return lines_of(text);
}

Lines starting_with(const std::string& begin, const Lines& lines) {
  Lines found;
  for (const std::string& line : lines) {
    if (line.starts_with(begin)) found.push_back(line);
  }
  return found;
}

std::ifstream open_doc(const std::string& name) {
  std::ifstream file(std::string(ADIT_SOURCE_DIR) + "/docs/" + name);
  EXPECT_TRUE(file) << name;
  return file;
}

/// A family of the OpenMetrics text.
struct Family {
  std::string type;
  std::string help;
  std::string unit;
  std::set<std::string> labels;
};

/// By the name of its samples.  Fails where lines are not in the order that the format asks for.
std::map<std::string, Family> exported() {
  static const std::regex kHelp(R"(# HELP (\S+) ([^"\\]+))");
  static const std::regex kType(R"(# TYPE (\S+) (counter|gauge|info))");
  static const std::regex kUnit(R"(# UNIT (\S+) (\S+))");
  static const std::regex kSample(R"re(([a-z_]+)(\{(.*)\})? ([0-9]+(\.[0-9]+)?))re");
  static const std::regex kLabel(R"re(([a-z_]+)="(([^"\\]|\\["\\n])*)",?)re");
  std::map<std::string, Family> families;
  std::string name;
  Family* family = nullptr;
  for (const std::string& line : lines_in(MetricsFormat::kOpenMetrics)) {
    std::smatch parts;
    if (line == "# EOF") continue;
    if (std::regex_match(line, parts, kHelp)) {
      name = parts[1];
      family = nullptr;
      families["?"] = {.type = "", .help = parts[2], .unit = "", .labels = {}};
    } else if (std::regex_match(line, parts, kType)) {
      EXPECT_EQ(parts[1], name);
      const std::string suffix = parts[2] == "counter" ? "_total" : parts[2] == "info" ? "_info" : "";
      family = &families.emplace(name + suffix, families["?"]).first->second;
      EXPECT_EQ(family->type, "") << name << " is there twice";
      family->type = parts[2];
      name += suffix;
    } else if (std::regex_match(line, parts, kUnit)) {
      EXPECT_TRUE(name.starts_with(parts[1].str()));
      EXPECT_TRUE(parts[1].str().ends_with("_" + parts[2].str())) << line;
      family->unit = parts[2];
    } else if (std::regex_match(line, parts, kSample)) {
      EXPECT_EQ(parts[1], name) << line;
      const std::string labels = parts[3];
      for (auto at = std::sregex_iterator(labels.begin(), labels.end(), kLabel); at != std::sregex_iterator(); ++at) {
        family->labels.insert((*at)[1]);
      }
    } else {
      ADD_FAILURE() << line;
    }
  }
  families.erase("?");
  return families;
}

TEST(Metrics, ArePeersByNameOrKeyAndAlwaysByKey) {
  const std::string named = R"({peer="the \"new\" \\home\\",public_key=")" + key_of(1).to_base64() + "\"} ";
  const std::string nameless = "{peer=\"" + key_of(2).to_base64() + "\",public_key=\"" + key_of(2).to_base64() + "\"} ";
  const Lines lines = lines_in(MetricsFormat::kOpenMetrics);
  EXPECT_EQ(starting_with("adit_peer_received_bytes_total", lines),
            (Lines{"adit_peer_received_bytes_total" + named + "18446744073709551615",
                   "adit_peer_received_bytes_total" + nameless + "0"}));
  EXPECT_EQ(starting_with("adit_peer_latest_handshake_timestamp_seconds", lines),
            (Lines{"adit_peer_latest_handshake_timestamp_seconds" + named + "1700000100",
                   "adit_peer_latest_handshake_timestamp_seconds" + nameless + "0"}));
}

TEST(Metrics, OfTwoPeersThatOneNameFitsDiffer) {
  Status status = some_status();
  status.config.peers[0].name = key_of(2).to_base64();
  const Lines lines = lines_in(MetricsFormat::kOpenMetrics, status);
  const Lines samples = starting_with("adit_peer_sent_bytes_total", lines);
  EXPECT_EQ(samples.size(), 2u);
  EXPECT_NE(samples.front().substr(0, samples.front().rfind(' ')), samples.back().substr(0, samples.back().rfind(' ')));
}

TEST(Metrics, CountEachForwardByWhatItsProtocolHas) {
  const Lines lines = lines_in(MetricsFormat::kPrometheus);
  EXPECT_EQ(starting_with("adit_forward_packets_total", lines),
            (Lines{R"(adit_forward_packets_total{forward="factorio",direction="in"} 1000)",
                   R"(adit_forward_packets_total{forward="factorio",direction="out"} 999)",
                   R"(adit_forward_packets_total{forward="other",direction="in"} 0)",
                   R"(adit_forward_packets_total{forward="other",direction="out"} 0)"}));
  EXPECT_EQ(starting_with(R"(adit_forward_bytes_total{forward="web")", lines),
            (Lines{R"(adit_forward_bytes_total{forward="web",direction="in"} 77)",
                   R"(adit_forward_bytes_total{forward="web",direction="out"} 0)"}));
  EXPECT_EQ(starting_with("adit_forward_flows{", lines),
            (Lines{R"(adit_forward_flows{forward="factorio"} 5)", R"(adit_forward_flows{forward="web"} 2)",
                   R"(adit_forward_flows{forward="other"} 0)"}));
  EXPECT_EQ(starting_with("adit_forward_service_reachable", lines),
            (Lines{R"(adit_forward_service_reachable{forward="factorio"} 1)",
                   R"(adit_forward_service_reachable{forward="other"} 0)"}));
}

TEST(Metrics, HaveEveryReasonForDropsAndThoseOfForwardsThatOccurred) {
  const Lines lines = lines_in(MetricsFormat::kOpenMetrics);
  EXPECT_EQ(starting_with("adit_drops_total", lines).size(), kDropCount - 1);
  EXPECT_EQ(starting_with(R"(adit_drops_total{reason="bad_mac"})", lines),
            Lines{R"(adit_drops_total{reason="bad_mac"} 9)"});
  EXPECT_EQ(starting_with("adit_forward_drops_total", lines),
            Lines{R"(adit_forward_drops_total{forward="factorio",reason="not_allowed"} 4)"});
}

TEST(Metrics, SayWhatIsMeasuredAsEitherFormatWantsIt) {
  const Lines open = lines_in(MetricsFormat::kOpenMetrics);
  EXPECT_EQ(open.back(), "# EOF");
  EXPECT_EQ(starting_with("# TYPE adit_peer_sent", open), Lines{"# TYPE adit_peer_sent_bytes counter"});
  EXPECT_EQ(starting_with("# UNIT adit_peer_sent", open), Lines{"# UNIT adit_peer_sent_bytes bytes"});
  EXPECT_EQ(starting_with("# TYPE adit_build", open), Lines{"# TYPE adit_build info"});
  EXPECT_EQ(starting_with("adit_build", open), Lines{R"(adit_build_info{version="1.2.3"} 1)"});
  const Lines plain = lines_in(MetricsFormat::kPrometheus);
  EXPECT_EQ(starting_with("# EOF", plain), Lines{});
  EXPECT_EQ(starting_with("# UNIT", plain), Lines{});
  EXPECT_EQ(starting_with("# TYPE adit_peer_sent", plain), Lines{"# TYPE adit_peer_sent_bytes_total counter"});
  EXPECT_EQ(starting_with("# TYPE adit_build", plain), Lines{"# TYPE adit_build_info gauge"});
  EXPECT_EQ(starting_with("process_start", plain), Lines{"process_start_time_seconds 1700000000.005"});
}

TEST(Metrics, AreThoseOfTheDocumentation) {
  Lines expected;
  for (const auto& [name, family] : exported()) {
    std::string labels;
    for (const std::string& label : family.labels) labels += (labels.empty() ? "`" : ", `") + label + "`";
    expected.push_back("| `" + name + "` | " + family.type + " | " + labels + " | " + family.help + " |");
  }
  std::ifstream file = open_doc("metrics.md");
  Lines documented = starting_with("| `", lines_of(file));
  std::erase_if(documented, [](const std::string& line) {
    return line.find("` | counter | ") == line.npos && line.find("` | gauge | ") == line.npos &&
           line.find("` | info | ") == line.npos;
  });
  std::ranges::sort(documented);
  std::ranges::sort(expected);
  EXPECT_EQ(documented, expected);
}

/// Calls `visit` with every object in `json`.
void each_object(const nlohmann::json& json, const std::function<void(const nlohmann::json&)>& visit) {
  if (json.is_object()) visit(json);
  if (json.is_structured()) {
    for (const auto& item : json) each_object(item, visit);
  }
}

TEST(Dashboard, AsksOnlyForMetricsThereAre) {
  const auto families = exported();
  const auto dashboard = nlohmann::json::parse(open_doc("grafana-dashboard.json"));
  const std::regex metric(R"(\b(adit|process)_[a-z_]+)");
  size_t expressions = 0;
  each_object(dashboard, [&](const nlohmann::json& object) {
    for (const char* key : {"expr", "query", "definition"}) {
      if (!object.contains(key) || !object[key].is_string()) continue;
      const std::string text = object[key];
      const auto names = std::sregex_iterator(text.begin(), text.end(), metric);
      expressions += names != std::sregex_iterator();
      for (auto name = names; name != std::sregex_iterator(); ++name) {
        EXPECT_TRUE(families.contains(name->str())) << name->str() << " in " << text;
      }
    }
  });
  EXPECT_GT(expressions, 8u);
}

TEST(Dashboard, HasPanelsBesideEachOther) {
  const auto dashboard = nlohmann::json::parse(open_doc("grafana-dashboard.json"));
  std::set<int> ids;
  std::set<std::pair<int, int>> taken;
  for (const auto& panel : dashboard["panels"]) {
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << panel["id"];
    EXPECT_FALSE(panel["title"].get<std::string>().empty());
    const auto& place = panel["gridPos"];
    EXPECT_LE(place["x"].get<int>() + place["w"].get<int>(), 24);
    for (int x = place["x"]; x < place["x"].get<int>() + place["w"].get<int>(); ++x) {
      for (int y = place["y"]; y < place["y"].get<int>() + place["h"].get<int>(); ++y) {
        EXPECT_TRUE(taken.insert({x, y}).second) << panel["title"];
      }
    }
  }
  EXPECT_GE(ids.size(), 6u);
}

}  // namespace
}  // namespace adit::daemon
