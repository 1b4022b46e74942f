// The files of the status page (daemon/page/), which are part of the program.
#pragma once

#include <array>
#include <string_view>

namespace adit::daemon {

struct PageFile {
  std::string_view path;
  std::string_view type;
  std::string_view content;
};

/// Made of status_page.cc.in by CMake.
extern const std::array<PageFile, 4> kStatusPage;

}  // namespace adit::daemon
