// How it works.  wg and wg-quick both read such a file, each its own keys: blanks and case do not matter, and "#"
// begins a comment wherever it stands.  Values go into a Config and their places beside it, so that check() judges them
// as it does adit.toml's.
#include "config/wg_quick.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>

#include "config/check.h"
#include "config/nearest.h"
#include "config/values.h"
#include "config/wg_quick_keys.h"

namespace adit::config {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return text.substr(text.size());
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Whether this is meant to be the name of a key in a file.
bool may_be_name(std::string_view text) {
  constexpr size_t kLongest = 24;
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
  return !text.empty() && text.size() <= kLongest && text.find_first_not_of(kAlphabet) == text.npos;
}

class Reader {
 public:
  explicit Reader(Problems& problems) : problems_(problems) {}

  void read_line(std::string_view line, uint32_t number);
  void finish();

  WgQuick file;
  Places places;

 private:
  enum class Section : uint8_t { kNone, kInterface, kPeer, kUnknown };

  void open_section(std::string_view header, Place place);
  void open_peer(Place place);
  void finish_peer();
  void read_setting(std::string_view line, Place place);
  void read_known(const WgQuickSetting& setting, std::span<const WgQuickKey> keys, Place place,
                  std::map<std::string, Place>& seen);
  void keep_comments();

  Problems& problems_;
  Section section_ = Section::kNone;
  bool has_interface_ = false;
  std::map<std::string, Place> interface_keys_;  // that were read, and where
  std::map<std::string, Place> peer_keys_;
  std::vector<std::string> comments_;  // whose they are, the next line says
};

void Reader::read_line(std::string_view line, uint32_t number) {
  const size_t hash = std::min(line.find('#'), line.size());
  const std::string_view text = trimmed(line.substr(0, hash));
  const std::string_view comment = trimmed(line.substr(std::min(hash + 1, line.size())));
  if (!comment.empty()) comments_.emplace_back(comment);
  const Place place = {number, static_cast<uint32_t>(text.data() - line.data() + 1)};
  if (text.starts_with('[')) return open_section(text, place);
  if (!text.empty()) read_setting(text, place);
  if (!text.empty() || hash == line.size()) keep_comments();
}

/// To the section that they stand in.
void Reader::keep_comments() {
  if (section_ != Section::kInterface && section_ != Section::kPeer) return;
  auto& whose = section_ == Section::kPeer ? file.peer_comments.back() : file.interface_comments;
  std::ranges::move(comments_, std::back_inserter(whose));
  comments_.clear();
}

void Reader::open_section(std::string_view header, Place place) {
  finish_peer();
  const std::string name = lower_case(header);
  if (name == "[interface]") {
    section_ = Section::kInterface;
    has_interface_ = true;
  } else if (name == "[peer]") {
    section_ = Section::kPeer;
    open_peer(place);
  } else {
    section_ = Section::kUnknown;
    problems_.add(place, "unknown section " + in_quotes(header) + ": there are [Interface] and [Peer]");
  }
  keep_comments();
}

void Reader::open_peer(Place place) {
  file.config.peers.emplace_back().place = place;
  file.peer_comments.emplace_back();
  places.peers.emplace_back();
  peer_keys_.clear();
}

void Reader::finish_peer() {
  if (section_ != Section::kPeer || peer_keys_.contains("publickey")) return;
  problems_.add(file.config.peers.back().place, "[Peer] needs PublicKey");
}

void Reader::read_setting(std::string_view line, Place place) {
  if (section_ == Section::kUnknown) return;
  if (section_ == Section::kNone) return problems_.add(place, "this stands in no section: [Interface] comes first");
  const size_t equals = line.find('=');
  // What it is instead is not shown, as it may be a secret, which ends with "=".
  if (equals == line.npos || !may_be_name(trimmed(line.substr(0, equals)))) {
    return problems_.add(place, "this is not KEY = VALUE");
  }
  WgQuickSetting setting;
  setting.name = trimmed(line.substr(0, equals));
  setting.key = lower_case(setting.name);
  setting.value = trimmed(line.substr(equals + 1));
  setting.place = {place.line, place.column + static_cast<uint32_t>(setting.value.data() - line.data())};
  if (section_ == Section::kInterface) read_known(setting, interface_keys(), place, interface_keys_);
  if (section_ == Section::kPeer) read_known(setting, peer_keys(), place, peer_keys_);
}

void Reader::read_known(const WgQuickSetting& setting, std::span<const WgQuickKey> keys, Place place,
                        std::map<std::string, Place>& seen) {
  const auto is_it = [&](const WgQuickKey& each) { return lower_case(each.name) == setting.key; };
  const auto key = std::ranges::find_if(keys, is_it);
  if (key == keys.end()) {
    std::vector<std::string> names;
    for (const WgQuickKey& each : keys) names.emplace_back(each.name);
    return problems_.add(place, "unknown key " + in_quotes(setting.name) + suggestion(setting.name, names));
  }
  const auto [first, is_new] = seen.emplace(setting.key, place);
  if (!is_new && !key->may_repeat) {
    return problems_.add(place, std::string(key->name) + " is given twice, first in " + line_of(first->second));
  }
  key->read(setting, {file, places, problems_});
}

void Reader::finish() {
  keep_comments();
  finish_peer();
  constexpr Place kBegin = {1, 1};
  if (!has_interface_) problems_.add(kBegin, "there is no [Interface] section");
}

std::string advice_on_default_route(uint32_t fwmark) {
  const std::string mark = std::to_string(fwmark);
  return "wg-quick makes this tunnel the machine's default route; with fwmark and table as below that takes "
         "`ip rule add not fwmark " +
         mark + " table " + mark +
         "` and `ip rule add table main suppress_prefixlength 0`, and both with `ip -6`, from what starts adit";
}

/// wg-quick leads everything into such a tunnel but what has a mark, by a routing table of its own.  Both are adit's
/// words; the rules that ask the table are not.
void take_over_default_route(WgQuick& file, const Places& places) {
  constexpr uint32_t kMark = 51820;  // wg-quick's
  Interface& interface = file.config.interface;
  if (!interface.add_routes || interface.table != 0) return;
  for (size_t i = 0; i < places.peers.size(); ++i) {
    const auto& prefixes = file.config.peers[i].allowed_ips;
    const auto found = std::ranges::find(prefixes, 0, &Prefix::length);
    if (found == prefixes.end()) continue;
    if (interface.fwmark == 0) interface.fwmark = kMark;
    interface.table = interface.fwmark;
    file.leftovers.push_back({places.peers[i].allowed_ips[static_cast<size_t>(found - prefixes.begin())],
                              "AllowedIPs = " + found->to_string(), advice_on_default_route(interface.fwmark)});
    return;
  }
}

}  // namespace

WgQuick parse_wg_quick(std::string_view text, const std::string& file, const std::string& interface) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Problems problems;
  Reader reader(problems);
  reader.file.config.interface.name = interface;
  uint32_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    reader.read_line(text.substr(begin, end - begin), ++number);
    begin = end + 1;
  }
  reader.finish();
  check(reader.file.config, reader.places, problems);
  if (problems.count() != 0) throw ConfigError(file, std::move(problems).in_order());
  take_over_default_route(reader.file, reader.places);
  return std::move(reader.file);
}

}  // namespace adit::config
