// A TOML document as a plain tree: document.cc is the only file that knows toml++.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/problems.h"
#include "config/secret.h"

namespace adit::config {

/// One value.  Any text may be a key, so all text is wiped when a tree dies.
struct Node {
  enum class Kind : uint8_t {
    kString,
    kInteger,
    kBoolean,
    kArray,
    kTable,
    kOther,  // a float, a date, or something nested too deeply to be of use
  };

  Node() = default;
  Node(Node&&) = default;
  Node& operator=(Node&&) = default;
  ~Node() { wipe_text(string); }

  Kind kind = Kind::kOther;
  Place place;
  std::string key;  // its name and where that stands, for what is in a table
  Place key_place;

  std::string string;
  int64_t integer = 0;
  bool boolean = false;
  std::vector<Node> children;  // of an array or a table
};

/// The root table, or nothing and one problem.
std::optional<Node> read_document(std::string_view text, Problems& problems);

}  // namespace adit::config
