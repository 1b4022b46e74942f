// Blocks of ours in files of others: "# BEGIN adit NAME", our lines, "# END adit NAME". Pure: bytes in, bytes out.
//
// Whatever the file was, taking out what was put in gives its bytes back. Only one thing is not to be seen from the
// block itself, that the line before it had no newline; then BEGIN says so, for the last block of the file to be put in
// the place of that end.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "home/plan.h"

namespace adit::home {

/// Markers that do not pair: nothing can be said about whose the lines between them are.
class DamagedBlock : public std::runtime_error {
 public:
  DamagedBlock(size_t line, const std::string& what) : std::runtime_error(what), line_(line) {}
  [[nodiscard]] size_t line() const noexcept { return line_; }  ///< counted from 1

 private:
  size_t line_;
};

/// One block as it stands in a file; offsets are bytes, ends are one past.
struct FoundBlock {
  std::string name;
  size_t begin = 0;  ///< of the BEGIN line
  size_t end = 0;    ///< past the END line and its newline, if it has one
  size_t text_begin = 0;
  size_t text_end = 0;
  bool joined = false;  ///< the line before had no newline
};

/// All blocks of a file in its order. Throws DamagedBlock.
std::vector<FoundBlock> find_blocks(std::string_view file);

/// The lines of a block, nothing when the file does not have it. Throws DamagedBlock.
std::optional<std::string> text_of_block(std::string_view file, std::string_view name);

/// The file with the block: in the place of an older one of its name, or put in at its Place.
/// Throws DamagedBlock, and std::invalid_argument for a block that could not be found again: a name that
/// is not words of letters, digits and "_.-/", text
/// that does not end in a newline or has markers in it.
std::string with_block(std::string_view file, const OwnBlock& block);

/// The file without the block, unchanged if it has none of that name. Throws DamagedBlock.
std::string without_block(std::string_view file, std::string_view name);

}  // namespace adit::home
