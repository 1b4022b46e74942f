#include "tests/home/plan_checks.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "home/jail.h"
#include "home/pf.h"
#include "net/addr.h"

namespace adit::home {
namespace {

using Words = std::set<std::string, std::less<>>;

const Words kPfWords = {"table",   "const",   "nat",      "rdr",        "pass",       "block",     "drop",
                        "return",  "log",     "on",       "in",         "out",        "quick",     "no",
                        "state",   "inet",    "inet6",    "proto",      "tcp",        "udp",       "icmp",
                        "icmp6",   "from",    "to",       "any",        "port",       "self",      "all",
                        "jails",   "private", "internet", "jails_any",  "reply-to",   "icmp-type", "echoreq",
                        "unreach", "anchor",  "load",     "nat-anchor", "rdr-anchor", "-"};

const Words kJailWords = {"host.hostname",
                          "path",
                          "persist",
                          "exec.clean",
                          "exec.system_user",
                          "exec.jail_user",
                          "mount.devfs",
                          "devfs_ruleset",
                          "mount.fstab",
                          "vnet",
                          "vnet.interface",
                          "ip4.addr",
                          "ip6.addr",
                          "exec.prestart",
                          "exec.poststop",
                          "exec.consolelog",
                          "exec.start",
                          "exec.stop",
                          "+"};

/// Words between blanks and signs.
std::vector<std::string> words_of(std::string_view text, std::string_view signs) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (signs.find(c) == signs.npos) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

/// A text without its comments and what is in double quotes (""), or nothing for a quote that does not end on its line.
std::string without_quoted(std::string_view text, bool& is_sound) {
  std::string outside;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#') {
      i = std::min(text.find('\n', i), text.size() - 1);
    } else if (text[i] == '"') {
      const size_t end = text.find_first_of("\"\n\\", i + 1);
      is_sound = is_sound && end != text.npos && text[end] == '"';
      if (!is_sound) return {};
      outside += '"';
      i = end;
      continue;
    }
    outside += text[i];
  }
  return outside;
}

bool is_number(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return (c >= '0' && c <= '9') || c == ':' || c == '*'; });
}

/// 0 options and tables, 1 translation, 2 filter rules.
int section_of(std::string_view line) {
  if (line.starts_with("nat") || line.starts_with("rdr")) return 1;
  if (line.starts_with("pass") || line.starts_with("block") || line.starts_with("anchor")) return 2;
  return 0;
}

std::vector<std::string> lines_of(std::string_view text) { return words_of(text, "\n"); }

std::string fault_of_pf(std::string_view text) {
  bool is_sound = true;
  const std::string outside = without_quoted(text, is_sound);
  if (!is_sound) return "pf: a quote without its end";
  for (const char* pair : {"{}", "()", "<>"}) {
    const auto count = [&](char c) { return std::ranges::count(outside, c); };
    std::ptrdiff_t closed = count(pair[1]);
    if (pair[0] == '<') {
      for (size_t at = outside.find("->"); at != outside.npos; at = outside.find("->", at + 1)) --closed;
    }
    if (count(pair[0]) != closed) return std::string("pf: unbalanced ") + pair;
  }
  for (const std::string& word : words_of(outside, " \n\t{}()<>,!\"=")) {
    const bool is_known = kPfWords.contains(word) || is_number(word) || Prefix::parse(word) ||
                          (word.starts_with("from_") && is_number(word.substr(5)));
    if (!is_known) return "pf: " + word + " is outside of quotes";
  }
  int section = 0;
  for (const std::string& line : lines_of(outside)) {
    const int next = section_of(line);
    if (next < section && !line.starts_with("load")) return "pf: sections out of order at " + line;
    section = std::max(section, next);
  }
  return {};
}

std::string fault_of_jail_conf(std::string_view text) {
  std::string outside;
  bool is_sound = true;
  jail_strings(text, outside, is_sound);
  if (!is_sound) return "jail.conf: a string that jail(8) reads otherwise";
  if (std::ranges::count(outside, '{') != 1 || std::ranges::count(outside, '}') != 1) return "jail.conf: braces";
  for (const std::string& word : words_of(outside, " \n{};=\"")) {
    if (!kJailWords.contains(word)) return "jail.conf: " + word + " is outside of quotes";
  }
  return {};
}

std::string fault_of_rc_conf(std::string_view text) {
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with("# ") || line.starts_with("if [ ")) continue;
    const size_t equals = line.find("=\"");
    if (equals == line.npos || !line.ends_with('"')) return "rc.conf: " + line;
    const std::string value = line.substr(equals + 2, line.size() - equals - 3);
    const std::string own = "${" + line.substr(0, equals) + "}";
    const std::string rest = value.starts_with(own) ? value.substr(own.size()) : value;
    if (rest.find_first_of("\"$`\\") != rest.npos) return "rc.conf: " + line;
  }
  return {};
}

/// A redirect leads to each address that its jail has, where its text does not say otherwise.
std::string fault_of_redirects(const HomeConfig& config) {
  for (const Redirect& redirect : config.redirects) {
    const Jail& jail = *find_jail(config, redirect.jail);
    const std::string rules = pf_jail_rules(config, jail);
    for (const bool is_v4 : {true, false}) {
      const auto ip = address_of(jail, is_v4);
      const bool is_wanted = (is_v4 ? redirect.inet : redirect.inet6).value_or(true);
      const bool is_on = redirect.on_egress || !host_tunnels(config).empty();
      if (!ip || !is_wanted || !is_on) continue;
      if (rules.find("-> " + ip->to_string()) == rules.npos) return "no rdr to " + ip->to_string();
    }
    const std::string jail_conf = jail_text(config, jail);
    if (!rules.empty() && jail_conf.find(anchor_of(jail) + " -f ") == jail_conf.npos) return "rdr are not loaded";
    if (!rules.empty() && jail_conf.find(anchor_of(jail) + " -F nat") == jail_conf.npos) return "rdr are not emptied";
  }
  return {};
}

std::string fault_of_text(const std::string& path, const std::string& text) {
  if (text.empty() || text.back() != '\n') return path + ": no whole lines";
  if (path.ends_with("pf.conf")) return fault_of_pf(text);
  if (path.ends_with("rc.conf")) return fault_of_rc_conf(text);
  if (path.find("jail.conf.d/") != path.npos) return fault_of_jail_conf(text);
  return {};
}

std::string joined(const Command& command) {
  std::string line;
  for (const std::string& word : command.words) {
    const bool is_plain = word.find_first_of(" \"'$|&<>!;*") == word.npos;
    line += (line.empty() ? "" : " ") + (is_plain ? word : "'" + word + "'");
  }
  return line + "  # " + command.why + "\n";
}

}  // namespace

std::string text_of(const Plan& plan) {
  std::string text;
  for (const OwnFile& file : plan.files) {
    text += "==> " + file.path + (file.mode == 0600 ? " (0600)" : "") + "\n" + file.text + "\n";
  }
  for (const OwnBlock& block : plan.blocks) {
    const char* where = block.place == adit::Place::pf_translation ? " (before its translation rules)" : "";
    text += "==> in " + block.path + ", " + block.name + where + "\n" + block.text + "\n";
  }
  text += "==> checks\n";
  for (const Command& command : plan.checks) text += joined(command);
  text += "\n==> start\n";
  for (const Command& command : plan.start) text += joined(command);
  text += "\n==> stop\n";
  for (const Command& command : plan.stop) text += joined(command);
  return text;
}

void write_plan(const Plan& plan, const std::filesystem::path& directory) {
  const auto write = [&](const std::string& path, const std::string& text) {
    const auto file = directory / path.substr(1);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::app) << text;
  };
  for (const OwnFile& file : plan.files) write(file.path, file.text);
  for (const OwnBlock& block : plan.blocks) write(block.path, block.text);
}

std::vector<std::string> jail_strings(std::string_view text, std::string& outside, bool& is_sound) {
  std::vector<std::string> strings;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#') i = std::min(text.find('\n', i), text.size() - 1);
    if (text[i] != '"') {
      outside += text[i];
      continue;
    }
    std::string& string = strings.emplace_back();
    for (++i; i < text.size() && text[i] != '"'; ++i) {
      if (text[i] == '$' || text[i] == '\n') is_sound = false;  // a variable begins
      if (text[i] == '\\') {
        ++i;
        // Any other character after it would mean something else than itself.
        is_sound = is_sound && i < text.size() && (text[i] == '"' || text[i] == '$' || text[i] == '\\');
        if (!is_sound) return strings;
      }
      string += text[i];
    }
    is_sound = is_sound && i < text.size();
    outside += '"';
  }
  return strings;
}

std::string fault_of(const HomeConfig& config, const Plan& plan) {
  std::set<std::string> paths;
  for (const OwnFile& file : plan.files) {
    if (!paths.insert(file.path).second) return file.path + " is there twice";
    if (auto fault = fault_of_text(file.path, file.text); !fault.empty()) return fault;
  }
  std::set<std::string> blocks;
  for (const OwnBlock& block : plan.blocks) {
    if (!blocks.insert(block.path + " " + block.name).second) return block.path + " has a block twice";
    if (paths.contains(block.path)) return block.path + " is both a file and has a block";
    if (auto fault = fault_of_text(block.path, block.text); !fault.empty()) return fault;
  }
  for (const auto* commands : {&plan.checks, &plan.start, &plan.stop}) {
    for (const Command& command : *commands) {
      if (command.words.empty() || command.why.empty()) return "a command without words or reason";
    }
  }
  return fault_of_redirects(config);
}

}  // namespace adit::home
