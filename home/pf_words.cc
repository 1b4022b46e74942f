#include "home/pf_words.h"

#include <algorithm>

#include "config/values.h"
#include "home/quote.h"

namespace adit::home {
namespace {

std::string listed(const std::vector<std::string>& items) {
  if (items.size() == 1) return items[0];
  std::string list = "{ ";
  for (size_t i = 0; i < items.size(); ++i) list += (i == 0 ? "" : ", ") + items[i];
  return list += " }";
}

/// RFC 1918, RFC 4193 and link-local addresses.
const char* const kPrivate[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"};

}  // namespace

std::string pf_names(const std::vector<std::string>& names) {
  std::vector<std::string> quoted(names.size());
  std::ranges::transform(names, quoted.begin(), in_double_quotes);
  return listed(quoted);
}

std::string pf_ports(const PortList& ports) {
  std::vector<std::string> items;
  for (const config::PortRange& range : ports) {
    std::string item = std::to_string(range.first);
    if (range.last != range.first) item += ":" + std::to_string(range.last);
    items.push_back(item);
  }
  return listed(items);
}

std::string pf_table(const std::string& name, const std::vector<config::TableEntry>& entries) {
  std::string list;
  for (const auto& [prefix, excluded] : entries) {
    list += std::string(list.empty() ? " " : ", ") + (excluded ? "!" : "") + prefix.to_string();
  }
  return "table <" + name + "> const {" + list + " }\n";
}

std::string pf_private_table() {
  std::vector<config::TableEntry> entries;
  for (const char* prefix : kPrivate) entries.push_back(*config::parse_table_entry(prefix));
  return pf_table("private", entries);
}

std::string pf_internet_table() {
  std::vector<config::TableEntry> entries = {*config::parse_table_entry("0.0.0.0/0"),
                                             *config::parse_table_entry("::/0")};
  for (const char* prefix : kPrivate) entries.push_back(*config::parse_table_entry("!" + std::string(prefix)));
  return pf_table("internet", entries);
}

}  // namespace adit::home
