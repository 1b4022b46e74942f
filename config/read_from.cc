// [tables], and who may use a forward.
#include <algorithm>

#include "config/nearest.h"
#include "config/read_forward.h"
#include "config/values.h"

namespace adit::config {
namespace {

/// Of somebody who wrote a table's name among networks.
std::string advice_for_entry(std::string_view text, const Tables* tables) {
  if (tables == nullptr || !tables->contains(text)) return {};
  return " (a table is named alone: from = " + in_quotes(text) + ")";
}

/// A list of prefixes; `name` as messages know it, `tables` those that could be meant instead, if any.  A "!" only
/// takes out of what the other entries let in.
Table read_entries(const std::vector<Text>& texts, std::string_view name, Place list, const Tables* tables,
                   Problems& problems) {
  Table table;
  const size_t before = problems.count();
  for (const auto& [text, place] : texts) {
    const auto entry = parse_table_entry(text);
    if (entry) table.push_back(*entry);
    if (entry) continue;
    problems.add(place, in_quotes(text) + " is not a network like \"10.0.0.0/8\" or \"!10.0.0.0/8\"" +
                            advice_for_entry(text, tables));
  }
  if (problems.count() == before && std::ranges::all_of(table, &TableEntry::excluded)) {
    problems.add(list, std::string(name) + " lets nobody in: it needs an entry without \"!\", such as \"0.0.0.0/0\"");
  }
  return table;
}

/// The same prefix both let in and taken out has no meaning.
void refuse_contradictions(const Table& table, std::string_view name, Place list, Problems& problems) {
  std::map<Prefix, bool> seen;
  for (const auto& [prefix, excluded] : table) {
    const auto [at, is_new] = seen.emplace(prefix, excluded);
    if (is_new || at->second == excluded) continue;
    problems.add(list, std::string(name) + " holds " + prefix.to_string() + " both with and without \"!\"");
  }
}

Table read_list(const Node& list, std::string_view name, const Tables* tables, Problems& problems) {
  const size_t before = problems.count();
  const std::vector<Text> texts = texts_of(list, name, problems);
  if (problems.count() != before) return {};
  Table table = read_entries(texts, name, list.place, tables, problems);
  refuse_contradictions(table, name, list.place, problems);
  return table;
}

/// Everybody but those a table lets in: pf's "from ! <table>".  Whom no entry holds is let in.
Table negated(const Table& table) {
  Table others = table;
  for (TableEntry& entry : others) entry.excluded = !entry.excluded;
  for (const char* text : {"0.0.0.0/0", "::/0"}) {
    const Prefix everyone = *Prefix::parse(text);
    if (std::ranges::find(others, everyone, &TableEntry::prefix) == others.end()) others.push_back({everyone, false});
  }
  return others;
}

std::string advice_for_name(std::string_view name, const Tables& tables) {
  if (parse_table_entry(name)) return " (a list of networks stands in brackets: from = [" + in_quotes(name) + "])";
  std::vector<std::string> names;
  for (const auto& [known, entries] : tables) names.push_back(known);
  return suggestion(name, names);
}

/// "internet" or "!internet".
void read_from_name(const Node& node, const Tables& tables, Forward& forward, Problems& problems) {
  const bool is_negated = node.string.starts_with('!');
  const std::string_view name = std::string_view(node.string).substr(is_negated ? 1 : 0);
  const auto table = tables.find(name);
  if (table == tables.end()) {
    const bool is_prefix = parse_table_entry(name).has_value();
    const std::string_view shown = is_prefix ? std::string_view(node.string) : name;
    problems.add(node.place, "[tables] has no " + in_quotes(shown) + advice_for_name(shown, tables));
    return;
  }
  forward.from = is_negated ? negated(table->second) : table->second;
  if (!is_negated || !std::ranges::all_of(*forward.from, &TableEntry::excluded)) return;
  problems.add(node.place, "from = " + in_quotes(node.string) + " lets nobody in: the table holds every address");
}

}  // namespace

void read_from(TableReader& reader, const Tables& tables, Forward& forward) {
  const Node* node = reader.find("from");
  if (node == nullptr) return;
  if (node->kind == Node::Kind::kString) {
    read_from_name(*node, tables, forward, reader.problems());
  } else {
    forward.from = read_list(*node, "from", &tables, reader.problems());
  }
}

Tables read_tables(const Node& section, Problems& problems) {
  Tables tables;
  for (const Node& child : section.children) {
    tables.emplace(child.key, read_list(child, "table " + in_quotes(child.key), nullptr, problems));
    if (!child.key.starts_with('!')) continue;
    problems.add(child.key_place, "a table's name must not begin with \"!\", which is for its use: from = \"!name\"");
  }
  return tables;
}

}  // namespace adit::config
