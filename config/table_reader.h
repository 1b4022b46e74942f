// Reads typed values out of one table of a document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/problems.h"

namespace adit::config {

/// A value and where it stands.
template <typename T>
struct Placed {
  T value;
  Place place;
};
using Text = Placed<std::string_view>;  // lives as long as the document

/// Every key is asked for once; a value of another type than asked is a problem and then as if it were not there.
/// finish() reports the keys that nobody asked for.
class TableReader {
 public:
  /// `name` as the reader of messages knows the table: "[interface]".
  TableReader(const Node& table, std::string name, Problems& problems)
      : table_(table), name_(std::move(name)), problems_(problems) {}

  [[nodiscard]] const Node* find(std::string_view key);
  [[nodiscard]] std::optional<Text> text(std::string_view key);
  [[nodiscard]] std::optional<Placed<int64_t>> integer(std::string_view key, int64_t smallest, int64_t largest);
  [[nodiscard]] std::optional<bool> boolean(std::string_view key);
  /// A list of texts, or a single one.
  [[nodiscard]] std::vector<Text> texts(std::string_view key);
  /// The tables of "[[key]]".
  [[nodiscard]] std::vector<const Node*> tables(std::string_view key);

  void finish();

  [[nodiscard]] Place place() const noexcept { return table_.place; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] Problems& problems() noexcept { return problems_; }

 private:
  const Node& table_;
  std::string name_;
  Problems& problems_;
  std::vector<std::string> known_;
};

/// The items of a list of texts; a problem for the list or each item that is something else.  `key` names the list.
std::vector<Text> texts_of(const Node& list, std::string_view key, Problems& problems);

}  // namespace adit::config
