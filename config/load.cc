#include <utility>

#include "config/check.h"
#include "config/config.h"
#include "config/document.h"
#include "config/read.h"
#include "config/secret.h"
#include "config/table_reader.h"

namespace adit::config {
namespace {

constexpr Place kBegin = {1, 1};

void read_interface_section(TableReader& root, const Source& source, Config& config, Places& places) {
  const Node* node = root.find("interface");
  if (node != nullptr && node->kind == Node::Kind::kTable) {
    read_interface({*node, "[interface]", root.problems()}, source, config, places);
    return;
  }
  places.knows_all_addresses = false;
  if (node == nullptr) root.problems().add(kBegin, "there is no [interface] section");
  if (node != nullptr) root.problems().add(node->place, "interface must be written [interface], once");
}

void read_metrics_section(TableReader& root, Config& config, Places& places) {
  const Node* node = root.find("metrics");
  if (node == nullptr) return;
  if (node->kind == Node::Kind::kTable) return read_metrics({*node, "[metrics]", root.problems()}, config, places);
  root.problems().add(node->place, "metrics must be written [metrics], once");
}

Tables read_tables_section(TableReader& root) {
  const Node* node = root.find("tables");
  if (node == nullptr) return {};
  if (node->kind == Node::Kind::kTable) return read_tables(*node, root.problems());
  root.problems().add(node->place, "tables must be written [tables], once");
  return {};
}

void read_sections(const Node& document, const Source& source, Config& config, Places& places, Problems& problems) {
  TableReader root(document, "the file", problems);
  read_interface_section(root, source, config, places);
  const size_t before = problems.count();
  for (const Node* peer : root.tables("peer")) read_peer({*peer, "[[peer]]", problems}, source, config, places);
  const Tables tables = read_tables_section(root);
  for (const Node* forward : root.tables("forward")) {
    read_forward({*forward, "[[forward]]", problems}, tables, config, places);
  }
  read_metrics_section(root, config, places);
  root.finish();
  // Peers that are not there may have been misspelled.
  if (config.peers.empty() && problems.count() != before) places.knows_all_allowed_ips = false;
}

Config parse_from(std::string_view text, const Source& source) {
  Config config;
  Places places;
  Problems problems;
  if (const auto document = read_document(text, problems)) {
    read_sections(*document, source, config, places, problems);
    check(config, places, problems);
  }
  if (problems.count() != 0) throw ConfigError(source.file, std::move(problems).in_order());
  for (size_t i = 0; i < config.forwards.size(); ++i) config.forwards[i].listeners = spell_out(places.forwards[i]);
  return config;
}

}  // namespace

Config parse(std::string_view text, const std::string& file, const std::filesystem::path& directory) {
  return parse_from(text, {file, directory});
}

Config load(const std::filesystem::path& file) {
  const SecretFile content = read_config_file(file);
  return parse_from(content.text(), {file.string(), file.parent_path(), content.is_open_to_others});
}

void forget_keys(Config& config) noexcept {
  config.interface.private_key.clear();
  for (Peer& peer : config.peers) peer.preshared_key.clear();
}

}  // namespace adit::config
