// Whatever a file is, blocks put into it and taken out again, in either order, leave its bytes; and a file with markers
// in it is either refused or loses exactly the block that is taken out.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "home/block.h"

namespace adit::home {
namespace {

const OwnBlock kFirst{"/etc/pf.conf", "first", "rdr-anchor \"adit/*\"\n", Place::pf_translation};
const OwnBlock kSecond{"/etc/pf.conf", "second", "anchor \"adit/*\"\n# with \\\n", Place::end};

void require(bool holds) {
  if (!holds) std::abort();
}

void check_one(const std::string& file, const OwnBlock& block) {
  const std::string with = with_block(file, block);
  require(text_of_block(with, block.name) == block.text);
  require(with_block(with, block) == with);
  require(without_block(with, block.name) == file);
  OwnBlock other = block;
  other.text.clear();
  require(with_block(with_block(with, other), block) == with);
}

void check_two(const std::string& file, const OwnBlock& a, const OwnBlock& b) {
  const std::string with = with_block(with_block(file, a), b);
  require(without_block(without_block(with, a.name), b.name) == file);
  require(without_block(without_block(with, b.name), a.name) == file);
}

void check(const std::string& file) {
  try {
    // Of whoever wrote these markers nothing is known but that they stay.
    if (!find_blocks(file).empty()) {
      for (const FoundBlock& block : find_blocks(file)) {
        require(!text_of_block(without_block(file, block.name), block.name));
      }
      return;
    }
  } catch (const DamagedBlock& damage) {
    require(damage.line() >= 1);
    return;
  }
  require(without_block(file, "first") == file);
  check_one(file, kFirst);
  check_one(file, kSecond);
  check_two(file, kFirst, kSecond);
  check_two(file, kSecond, kFirst);
}

}  // namespace
}  // namespace adit::home

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  adit::home::check(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
