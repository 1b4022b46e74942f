// Holds the #include lines to the order of the rooms: a room includes itself and what stands to its right, and each
// library has one room that knows it.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace adit {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const std::map<std::string, Names> kMayInclude = {
    {"crypto", {"crypto"}},
    {"net", {"net"}},
    {"tunnel", {"tunnel", "net", "crypto"}},
    {"forward", {"forward", "net"}},
    {"config", {"config", "net", "crypto"}},
    {"home", {"home", "config", "net", "crypto"}},
    {"daemon", {"daemon", "tunnel", "forward", "config", "home", "net", "crypto"}},
};

/// The pure half of net: all that tunnel, forward and config may see of it.
const Names kPureNet = {"net/addr.h",        "net/bytes.h",        "net/checksum.h",   "net/coalesce.h",
                        "net/datagram.h",    "net/fragment.h",     "net/icmp_error.h", "net/reassembly.h",
                        "net/drop.h",        "net/ecn.h",          "net/icmp.h",       "net/ip.h",
                        "net/large_pages.h", "net/offload.h",      "net/packet.h",     "net/prefix_trie.h",
                        "net/segment.h",     "net/sparse_array.h", "net/staging.h",    "net/tcp.h",
                        "net/time.h",        "net/vnet_header.h"};
const Names kPureRooms = {"crypto", "tunnel", "forward", "config"};
/// config reads files, and nothing else: it may hold a descriptor.
const std::map<std::string, Names> kOsHeadersAllowed = {
    {"config", {"net/fd.h", "sys/stat.h"}},
};

bool is_allowed_os_header(const std::string& room, const std::string& header) {
  const auto allowed = kOsHeadersAllowed.find(room);
  return allowed != kOsHeadersAllowed.end() && allowed->second.contains(header);
}

/// A library's headers begin with this, and only this room includes them.
const std::map<std::string, std::string> kLibraries = {
    {"sodium", "crypto"},    {"toml++", "config"},   {"uv.h", "daemon"},     {"spdlog", "daemon"},
    {"CLI", "daemon"},       {"nlohmann", "daemon"}, {"libmnl", "net"},      {"cap-ng.h", "daemon"},
    {"seccomp.h", "daemon"}, {"boost", "daemon"},    {"qrencode", "daemon"},
};

/// Systems' headers: a room that does no I/O includes none, but for what makes addresses, memory and files.
const Names kSystemFolders = {"arpa", "linux", "net", "netinet", "sys"};

struct Include {
  std::string file;  // relative to the source tree
  std::string room;
  std::string header;
  bool quoted;
};

std::string folder_of(const std::string& header) { return header.substr(0, header.find('/')); }

std::vector<Include> includes_of(const std::string& room) {
  static const std::string kDirective = "#include ";
  const fs::path root = ADIT_SOURCE_DIR;
  std::vector<Include> all;
  for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
    if (entry.path().extension() != ".h" && entry.path().extension() != ".cc") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with(kDirective)) continue;
      const char open = line[kDirective.size()];
      const size_t begin = kDirective.size() + 1;
      const size_t end = line.find(open == '<' ? '>' : '"', begin);
      all.push_back({fs::relative(entry.path(), root), room, line.substr(begin, end - begin), open == '"'});
    }
  }
  return all;
}

TEST(Rooms, IncludeOnlyThemselvesAndWhatStandsToTheirRight) {
  for (const auto& [room, allowed] : kMayInclude) {
    for (const Include& include : includes_of(room)) {
      if (!include.quoted) continue;
      EXPECT_TRUE(allowed.contains(folder_of(include.header))) << include.file << " includes " << include.header;
    }
  }
}

TEST(Rooms, WithoutInputAndOutputSeeOnlyThePureHalfOfNet) {
  for (const std::string& room : kPureRooms) {
    for (const Include& include : includes_of(room)) {
      if (!include.quoted || !include.header.starts_with("net/")) continue;
      EXPECT_TRUE(kPureNet.contains(include.header) || is_allowed_os_header(room, include.header))
          << include.file << " includes " << include.header;
    }
  }
}

TEST(Rooms, WithoutInputAndOutputIncludeNoSystemHeaders) {
  for (const std::string& room : kPureRooms) {
    for (const Include& include : includes_of(room)) {
      if (include.quoted || !kSystemFolders.contains(folder_of(include.header))) continue;
      EXPECT_TRUE(is_allowed_os_header(room, include.header)) << include.file << " includes " << include.header;
    }
  }
}

TEST(Libraries, AreKnownToOneRoomEach) {
  for (const auto& [room, allowed] : kMayInclude) {
    for (const Include& include : includes_of(room)) {
      for (const auto& [library, owner] : kLibraries) {
        if (include.quoted || !include.header.starts_with(library)) continue;
        EXPECT_EQ(room, owner) << include.file << " includes " << include.header;
      }
    }
  }
}

}  // namespace
}  // namespace adit
