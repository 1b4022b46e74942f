#include "home/diff.h"

#include <algorithm>
#include <cstdint>

#include "config/problems.h"
#include "home/runner.h"

namespace adit::home {
namespace {

using Lines = std::vector<std::string_view>;
constexpr size_t kContext = 3;
/// Of the table of common subsequences; what is larger is shown as all old lines, then all new ones.
constexpr size_t kLargestTable = 16 << 20;

/// With their newlines: a last line without one differs from one with it.
Lines lines_of(std::string_view text) {
  Lines lines;
  for (size_t at = 0; at < text.size();) {
    const size_t newline = text.find('\n', at);
    const size_t end = newline == text.npos ? text.size() : newline + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

struct Edit {
  char sign;  // ' ', '-' or '+'
  std::string_view line;
};

/// Lengths of the longest common subsequences of all suffixes.
class Table {
 public:
  Table(const Lines& before, const Lines& after) : width_(after.size() + 1), cells_((before.size() + 1) * width_) {
    for (size_t i = before.size(); i-- > 0;) {
      for (size_t j = after.size(); j-- > 0;) {
        cell(i, j) = before[i] == after[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  [[nodiscard]] uint32_t at(size_t i, size_t j) const { return cells_[i * width_ + j]; }

 private:
  uint32_t& cell(size_t i, size_t j) { return cells_[i * width_ + j]; }

  size_t width_;
  std::vector<uint32_t> cells_;
};

void add_middle(std::vector<Edit>& edits, const Lines& before, const Lines& after) {
  size_t i = 0;
  size_t j = 0;
  if ((before.size() + 1) * (after.size() + 1) <= kLargestTable) {
    const Table table(before, after);
    while (i < before.size() && j < after.size()) {
      if (before[i] == after[j]) {
        edits.push_back({' ', before[i]});
        ++i, ++j;
      } else if (table.at(i + 1, j) >= table.at(i, j + 1)) {
        edits.push_back({'-', before[i++]});
      } else {
        edits.push_back({'+', after[j++]});
      }
    }
  }
  while (i < before.size()) edits.push_back({'-', before[i++]});
  while (j < after.size()) edits.push_back({'+', after[j++]});
}

std::vector<Edit> edits_between(const Lines& before, const Lines& after) {
  const size_t shorter = std::min(before.size(), after.size());
  size_t head = 0;
  while (head < shorter && before[head] == after[head]) ++head;
  size_t tail = 0;
  while (tail < shorter - head && before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) ++tail;
  const auto middle = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<ptrdiff_t>(head), lines.end() - static_cast<ptrdiff_t>(tail));
  };
  std::vector<Edit> edits;
  for (size_t i = 0; i < head; ++i) edits.push_back({' ', before[i]});
  add_middle(edits, middle(before), middle(after));
  for (size_t i = before.size() - tail; i < before.size(); ++i) edits.push_back({' ', before[i]});
  return edits;
}

std::string shown(std::string_view line) {
  const bool ends = line.ends_with('\n');
  if (ends) line.remove_suffix(1);
  std::string text;
  for (const char character : line) text += character == '\t' ? "\t" : config::visible({&character, 1});
  return text + (ends ? "\n" : "\n\\ No newline at end of file\n");
}

/// "12,3", or "12" for a single line; of no lines, the one before them.
std::string range(size_t first, size_t count) {
  if (count == 1) return std::to_string(first + 1);
  return std::to_string(count == 0 ? first : first + 1) + "," + std::to_string(count);
}

/// Edits [begin, end) as one hunk; `old_line` and `new_line` are those before it, counted on past it.
std::string hunk(const std::vector<Edit>& edits, size_t begin, size_t end, size_t& old_line, size_t& new_line) {
  std::string body;
  const size_t first_old = old_line;
  const size_t first_new = new_line;
  for (size_t i = begin; i < end; ++i) {
    if (edits[i].sign != '+') ++old_line;
    if (edits[i].sign != '-') ++new_line;
    body += edits[i].sign + shown(edits[i].line);
  }
  return "@@ -" + range(first_old, old_line - first_old) + " +" + range(first_new, new_line - first_new) + " @@\n" +
         body;
}

std::string title(const Change& change) {
  std::string text = change.path;
  if (!change.is_ours_alone()) {
    std::string names;
    for (const BlockState& block : change.blocks) names += (names.empty() ? "" : ", ") + block.name;
    text += " (" + std::string(change.blocks.size() == 1 ? "block " : "blocks ") + names + ")";
  } else if (!change.before || change.before->mode != change.mode) {
    text += " (mode " + to_octal(change.mode) + ")";
  }
  return text;
}

std::string old_title(const Change& change) {
  const bool same_mode = !change.after || change.before->mode == change.mode;
  return change.path + (same_mode ? "" : " (mode " + to_octal(change.before->mode) + ")");
}

std::string body(const Change& change) {
  const std::string before = change.before ? change.before->text : "";
  const std::string after = change.after.value_or("");
  if (!change.secret) return hunks_of(before, after);
  if (!change.after) return "(a secret file: not shown)\n";
  const std::string size = std::to_string(after.size()) + " bytes, mode " + to_octal(change.mode);
  return "(a secret file: not shown; " + size + (change.before && before == after ? ", as before" : "") + ")\n";
}

}  // namespace

std::string hunks_of(std::string_view before, std::string_view after) {
  const std::vector<Edit> edits = edits_between(lines_of(before), lines_of(after));
  const auto is_edit = [](const Edit& edit) { return edit.sign != ' '; };
  std::string text;
  size_t at = 0;
  size_t old_line = 0;
  size_t new_line = 0;
  const auto next_edit = [&](size_t from) {
    return static_cast<size_t>(std::find_if(edits.begin() + static_cast<ptrdiff_t>(from), edits.end(), is_edit) -
                               edits.begin());
  };
  for (size_t edit = next_edit(0); edit < edits.size(); edit = next_edit(at)) {
    const size_t begin = std::max(at, edit - std::min(edit, kContext));
    old_line += begin - at;
    new_line += begin - at;
    size_t last = edit;
    // Changes whose contexts meet are one hunk.
    for (size_t next = next_edit(last + 1); next < edits.size() && next - last <= 2 * kContext + 1;) {
      last = next;
      next = next_edit(last + 1);
    }
    at = std::min(edits.size(), last + 1 + kContext);
    text += hunk(edits, begin, at, old_line, new_line);
  }
  return text;
}

std::string to_diff(const Change& change) {
  if (change.state == State::same) return "";
  if (change.state == State::foreign) return change.path + " is there already, and adit did not write it\n";
  return "--- " + (change.before ? old_title(change) : "/dev/null") + "\n+++ " +
         (change.after ? title(change) : "/dev/null") + "\n" + body(change);
}

std::string to_list(const std::string& heading, const std::vector<Command>& commands) {
  if (commands.empty()) return "";
  std::string text = heading + "\n";
  for (const Command& command : commands) {
    text += "  " + config::visible(to_line(command.words)) + "\n";
    if (!command.why.empty()) text += "      " + config::visible(command.why) + "\n";
  }
  return text;
}

}  // namespace adit::home
