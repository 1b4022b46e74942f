#include "config/document.h"

#include <utility>

#include "config/text_check.h"

// toml++ is compiled here and nowhere else, and from its headers even where its library is installed: some texts that
// are not TOML (issue 301 of toml++ has a few) fail its assertions.  Only so can a failed assertion be an exception,
// instead of the end of the program, or with NDEBUG a promise to the compiler that is not kept.
namespace adit::config {
namespace {
struct AssertionFailed {};
constexpr void require(bool holds) {
  if (!holds) throw AssertionFailed();
}
}  // namespace
}  // namespace adit::config
#undef NDEBUG
#define TOML_ASSERT(condition) ::adit::config::require(static_cast<bool>(condition))
#include <toml++/toml.h>

namespace adit::config {
namespace {

Place place_of(const toml::source_region& source) { return {source.begin.line, source.begin.column}; }

Node converted(toml::node& from, int depth) {
  constexpr int kDeepest = 8;  // ours needs five: root, section, its list, an entry, a list in it
  Node node;
  node.place = place_of(from.source());
  if (auto* string = from.as_string()) {
    node.kind = Node::Kind::kString;
    node.string = std::move(string->get());  // moved, not copied: no second place to wipe
  } else if (const auto* integer = from.as_integer()) {
    node.kind = Node::Kind::kInteger;
    node.integer = integer->get();
  } else if (const auto* boolean = from.as_boolean()) {
    node.kind = Node::Kind::kBoolean;
    node.boolean = boolean->get();
  } else if (depth == kDeepest) {
    return node;
  } else if (auto* array = from.as_array()) {
    node.kind = Node::Kind::kArray;
    for (toml::node& item : *array) node.children.push_back(converted(item, depth + 1));
  } else if (auto* table = from.as_table()) {
    node.kind = Node::Kind::kTable;
    for (auto&& [key, value] : *table) {
      Node& child = node.children.emplace_back(converted(value, depth + 1));
      child.key = key.str();
      child.key_place = place_of(key.source());
    }
  }
  return node;
}

std::string_view line_at(std::string_view text, uint32_t line) {
  for (uint32_t at = 1; at < line; ++at) {
    const size_t end = text.find('\n');
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

/// toml++'s words without what they quote of the file where that might be a secret.
std::string description_of(const toml::parse_error& error, std::string_view text) {
  const std::string_view line = line_at(text, error.source().begin.line);
  const bool may_hold_key = line.find("private_key") != line.npos || line.find("preshared_key") != line.npos;
  if (may_hold_key) return "this line is not TOML; a key is written in quotes, as in private_key = \"...\"";
  std::string_view description = error.description();
  constexpr std::string_view kPreamble = "Error while parsing ";
  if (description.starts_with(kPreamble)) description.remove_prefix(kPreamble.size());
  return "this is not TOML: " + visible(description.substr(0, description.find(", saw ")));
}

}  // namespace

std::optional<Node> read_document(std::string_view text, Problems& problems) {
  if (auto fault = fault_of_text(text)) {
    problems.add(fault->place, std::move(fault->text));
    return {};
  }
  try {
    toml::table root = toml::parse(text);
    return converted(root, 0);
  } catch (const toml::parse_error& error) {
    problems.add(place_of(error.source()), description_of(error, text));
  } catch (const AssertionFailed&) {
    problems.add({}, "this is not TOML, but it cannot be said where");
  }
  return {};
}

}  // namespace adit::config
