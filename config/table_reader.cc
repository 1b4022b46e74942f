#include "config/table_reader.h"

#include <algorithm>

#include "config/nearest.h"

namespace adit::config {

const Node* TableReader::find(std::string_view key) {
  known_.emplace_back(key);
  const auto found = std::ranges::find(table_.children, key, &Node::key);
  return found == table_.children.end() ? nullptr : &*found;
}

std::optional<Text> TableReader::text(std::string_view key) {
  const Node* node = find(key);
  if (node == nullptr) return {};
  if (node->kind == Node::Kind::kString) return Text{node->string, node->place};
  problems_.add(node->place, std::string(key) + " must be text in quotes");
  return {};
}

std::optional<Placed<int64_t>> TableReader::integer(std::string_view key, int64_t smallest, int64_t largest) {
  const Node* node = find(key);
  if (node == nullptr) return {};
  if (node->kind == Node::Kind::kInteger && node->integer >= smallest && node->integer <= largest) {
    return Placed<int64_t>{node->integer, node->place};
  }
  problems_.add(node->place, std::string(key) + " must be an integer from " + std::to_string(smallest) + " to " +
                                 std::to_string(largest));
  return {};
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const Node* node = find(key);
  if (node == nullptr) return {};
  if (node->kind == Node::Kind::kBoolean) return node->boolean;
  problems_.add(node->place, std::string(key) + " must be true or false");
  return {};
}

std::vector<Text> TableReader::texts(std::string_view key) {
  const Node* node = find(key);
  if (node == nullptr) return {};
  if (node->kind == Node::Kind::kString) return {Text{node->string, node->place}};
  return texts_of(*node, key, problems_);
}

std::vector<const Node*> TableReader::tables(std::string_view key) {
  const Node* node = find(key);
  if (node == nullptr) return {};
  std::vector<const Node*> found;
  const auto is_table = [](const Node& child) { return child.kind == Node::Kind::kTable; };
  if (node->kind == Node::Kind::kArray && std::ranges::all_of(node->children, is_table)) {
    for (const Node& child : node->children) found.push_back(&child);
    return found;
  }
  problems_.add(node->place, std::string(key) + " must be written [[" + std::string(key) + "]], once for each");
  return {};
}

void TableReader::finish() {
  for (const Node& child : table_.children) {
    if (std::ranges::find(known_, child.key) != known_.end()) continue;
    problems_.add(child.key_place, "unknown key " + in_quotes(child.key) + suggestion(child.key, known_));
  }
}

std::vector<Text> texts_of(const Node& list, std::string_view key, Problems& problems) {
  std::vector<Text> texts;
  const std::string complaint = std::string(key) + " must be a list of texts in quotes";
  if (list.kind != Node::Kind::kArray) problems.add(list.place, complaint);
  if (list.kind != Node::Kind::kArray) return {};
  for (const Node& item : list.children) {
    if (item.kind == Node::Kind::kString) {
      texts.push_back({item.string, item.place});
    } else {
      problems.add(item.place, complaint);
    }
  }
  return texts;
}

}  // namespace adit::config
