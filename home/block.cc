#include "home/block.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "home/pf_place.h"

namespace adit::home {
namespace {

constexpr std::string_view kBegin = "# BEGIN adit ";
constexpr std::string_view kEnd = "# END adit ";
constexpr std::string_view kJoined = " (no newline before)";

/// A line with its newline, and what it says without that (and without what an editor for another system put there).
struct Line {
  size_t begin;
  size_t end;
  std::string_view words;
};

Line line_at(std::string_view file, size_t begin) {
  const size_t newline = file.find('\n', begin);
  const size_t end = newline == file.npos ? file.size() : newline + 1;
  std::string_view words = file.substr(begin, (newline == file.npos ? end : newline) - begin);
  if (words.ends_with('\r')) words.remove_suffix(1);
  return {begin, end, words};
}

/// Words of letters, digits and "_.-/" with single blanks between, so that a name is on one line and "(" ends it.
bool is_name(std::string_view name) {
  const auto is_letter = [](char character) {
    return std::isalnum(static_cast<unsigned char>(character)) != 0 ||
           std::string_view("_.-/").find(character) != std::string_view::npos;
  };
  const auto is_right = [&](char character) { return is_letter(character) || character == ' '; };
  return !name.empty() && name.front() != ' ' && name.back() != ' ' && name.find("  ") == name.npos &&
         std::ranges::all_of(name, is_right);
}

/// The name on a marker line, or nothing: what else begins like one is somebody's prose.
std::optional<std::string_view> name_after(std::string_view marker, std::string_view words) {
  if (!words.starts_with(marker)) return std::nullopt;
  words.remove_prefix(marker.size());
  return is_name(words) ? std::optional(words) : std::nullopt;
}

struct Begin {
  std::string_view name;
  bool joined;
};

std::optional<Begin> begin_on(std::string_view words) {
  const bool joined = words.ends_with(kJoined);
  if (joined) words.remove_suffix(kJoined.size());
  const auto name = name_after(kBegin, words);
  return name ? std::optional(Begin{*name, joined}) : std::nullopt;
}

std::string quoted(std::string_view marker, std::string_view name) {
  return "\"" + std::string(marker) + std::string(name) + "\"";
}

class BlockFinder {
 public:
  explicit BlockFinder(std::string_view file) : file_(file) {}

  std::vector<FoundBlock> find() && {
    for (size_t at = 0; at < file_.size();) {
      const Line line = line_at(file_, at);
      ++number_;
      if (const auto begin = begin_on(line.words)) {
        open(*begin, line);
      } else if (const auto end = name_after(kEnd, line.words)) {
        close(*end, line);
      }
      at = line.end;
    }
    if (open_) throw DamagedBlock(opened_, quoted(kBegin, open_->name) + " without its END");
    return std::move(found_);
  }

 private:
  void open(const Begin& begin, const Line& line) {
    if (open_) throw DamagedBlock(opened_, quoted(kBegin, open_->name) + " without its END");
    const auto is_same = [&](const FoundBlock& block) { return block.name == begin.name; };
    if (std::ranges::any_of(found_, is_same)) throw DamagedBlock(number_, quoted(kBegin, begin.name) + " again");
    open_ = FoundBlock{std::string(begin.name), line.begin, 0, line.end, 0, begin.joined};
    opened_ = number_;
  }

  void close(std::string_view name, const Line& line) {
    if (!open_ || open_->name != name) throw DamagedBlock(number_, quoted(kEnd, name) + " without its BEGIN");
    open_->text_end = line.begin;
    open_->end = line.end;
    found_.push_back(*std::exchange(open_, std::nullopt));
  }

  std::string_view file_;
  std::vector<FoundBlock> found_;
  std::optional<FoundBlock> open_;
  size_t number_ = 0;
  size_t opened_ = 0;
};

std::string lines_of(std::string_view name, std::string_view text, bool joined) {
  std::string lines(kBegin);
  lines += name;
  if (joined) lines += kJoined;
  lines += '\n';
  lines += text;
  lines += kEnd;
  lines += name;
  return lines += '\n';
}

void require_sound(const OwnBlock& block) {
  if (!is_name(block.name)) throw std::invalid_argument("a block cannot be named \"" + block.name + "\"");
  if (!block.text.empty() && !block.text.ends_with('\n')) {
    throw std::invalid_argument("the block " + block.name + " does not end in a newline");
  }
  for (size_t at = 0; at < block.text.size();) {
    const Line line = line_at(block.text, at);
    if (begin_on(line.words) || name_after(kEnd, line.words)) {
      throw std::invalid_argument("the block " + block.name + " has a block in it");
    }
    at = line.end;
  }
}

const FoundBlock* named(const std::vector<FoundBlock>& blocks, std::string_view name) {
  const auto found = std::ranges::find(blocks, name, &FoundBlock::name);
  return found == blocks.end() ? nullptr : &*found;
}

const FoundBlock* beginning_at(const std::vector<FoundBlock>& blocks, size_t offset) {
  const auto found = std::ranges::find(blocks, offset, &FoundBlock::begin);
  return found == blocks.end() ? nullptr : &*found;
}

/// The BEGIN line of a block that is joined, or is so no more; all else of it as it is.
std::string with_joined(std::string_view file, const FoundBlock& block, bool joined) {
  std::string line(kBegin);
  line += block.name;
  if (joined) line += kJoined;
  return line + '\n' + std::string(file.substr(block.text_begin));
}

size_t place_for(std::string_view file, Place place, const std::vector<FoundBlock>& blocks) {
  const size_t offset = place == Place::end ? file.size() : find_pf_translation(file);
  for (const FoundBlock& block : blocks) {
    if (block.begin <= offset && offset < block.end) return block.begin;  // never within another block
  }
  return offset;
}

}  // namespace

std::vector<FoundBlock> find_blocks(std::string_view file) { return BlockFinder(file).find(); }

std::optional<std::string> text_of_block(std::string_view file, std::string_view name) {
  const auto blocks = find_blocks(file);
  const FoundBlock* block = named(blocks, name);
  if (block == nullptr) return std::nullopt;
  return std::string(file.substr(block->text_begin, block->text_end - block->text_begin));
}

std::string with_block(std::string_view file, const OwnBlock& block) {
  require_sound(block);
  const auto blocks = find_blocks(file);
  if (const FoundBlock* old = named(blocks, block.name)) {
    return std::string(file.substr(0, old->begin)) + lines_of(block.name, block.text, old->joined) +
           std::string(file.substr(old->end));
  }
  const size_t offset = place_for(file, block.place, blocks);
  const std::string before(file.substr(0, offset));
  if (offset == file.size()) {
    const bool joined = !file.empty() && !file.ends_with('\n');
    return before + (joined ? "\n" : "") + lines_of(block.name, block.text, joined);
  }
  // What the next block knew of the line before it is now this one's to know.
  const FoundBlock* next = beginning_at(blocks, offset);
  if (next != nullptr && next->joined) {
    return before + lines_of(block.name, block.text, true) + with_joined(file, *next, false);
  }
  return before + lines_of(block.name, block.text, false) + std::string(file.substr(offset));
}

std::string without_block(std::string_view file, std::string_view name) {
  const auto blocks = find_blocks(file);
  const FoundBlock* block = named(blocks, name);
  if (block == nullptr) return std::string(file);
  std::string before(file.substr(0, block->begin));
  if (!block->joined) return before + std::string(file.substr(block->end));
  if (block->end == file.size()) {
    if (before.ends_with('\n')) before.pop_back();
    return before;
  }
  // Lines that came after are not to be joined to the one before; a block that did may be the last one day.
  const FoundBlock* next = beginning_at(blocks, block->end);
  return before + (next == nullptr ? std::string(file.substr(block->end)) : with_joined(file, *next, true));
}

}  // namespace adit::home
