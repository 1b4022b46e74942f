#include "daemon/commands/complete.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "daemon/commands/commands.h"
#include "daemon/control.h"

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

/// Where the last word stands, once the ones before it are understood.
struct Place {
  const CLI::App* command;
  const CLI::Option* option = nullptr;  // whose value it is
  size_t operands = 0;                  // that stand before it
};

const CLI::App* subcommand_of(const CLI::App& command, const std::string& name) {
  const auto all = command.get_subcommands([&](const CLI::App* each) { return each->get_name() == name; });
  return all.empty() ? nullptr : all.front();
}

bool takes_value(const CLI::Option* option) { return option != nullptr && option->get_items_expected_max() > 0; }

Place place_of_last(const CLI::App& app, const std::vector<std::string>& words) {
  Place place{&app};
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (place.option != nullptr) {
      place.option = nullptr;
    } else if (word.starts_with('-')) {
      const CLI::Option* option = place.command->get_option_no_throw(word);
      if (takes_value(option)) place.option = option;
    } else if (const CLI::App* command = subcommand_of(*place.command, word)) {
      place = {command};
    } else {
      ++place.operands;
    }
  }
  return place;
}

const CLI::Option* operand_of(const Place& place) {
  const auto all = place.command->get_options([](const CLI::Option* each) { return each->get_positional(); });
  return place.operands < all.size() ? all[place.operands] : nullptr;
}

std::vector<Completion> without_descriptions(const std::vector<std::string>& words) {
  std::vector<Completion> all;
  all.reserve(words.size());
  for (const std::string& word : words) all.push_back({word, ""});
  return all;
}

/// The words that CLI11 says between braces in the name of a value's type, if it has such a list.
std::vector<std::string> listed_values(const std::string& type) {
  std::vector<std::string> all;
  const size_t begin = type.find('{');
  if (begin == type.npos) return all;
  std::istringstream list(type.substr(begin + 1, type.find('}') - begin - 1));
  for (std::string value; std::getline(list, value, ',');) all.push_back(value);
  return all;
}

std::vector<Completion> values_of(const CLI::Option& option, const std::vector<std::string>& interfaces) {
  if (option.get_name() == "interface") return without_descriptions(interfaces);
  const std::string type = option.get_type_name();
  if (const auto values = listed_values(type); !values.empty()) return without_descriptions(values);
  if (!type.starts_with("TEXT")) return {};
  return {{kCompleteFiles, ""}};
}

std::vector<Completion> options_of(const CLI::App& command) {
  std::vector<Completion> all;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) all.push_back({"--" + name, option->get_description()});
  }
  return all;
}

std::vector<Completion> subcommands_of(const CLI::App& command) {
  std::vector<Completion> all;
  for (const CLI::App* each : command.get_subcommands({})) {
    if (!each->get_group().empty()) all.push_back({each->get_name(), each->get_description()});
  }
  return all;
}

/// The names of the interfaces whose control sockets are there, asked or not: who completes may not ask them all.
std::vector<std::string> interfaces_to_see() {
  std::vector<std::string> names;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(control_directory(), none)) {
    if (entry.path().extension() == ".sock") names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::vector<Completion> find_completions(const CLI::App& app, const std::vector<std::string>& words,
                                         const std::vector<std::string>& interfaces) {
  if (words.empty()) return {};
  const std::string& last = words.back();
  const Place place = place_of_last(app, words);
  std::vector<Completion> all;
  if (place.option != nullptr) {
    all = values_of(*place.option, interfaces);
  } else if (last.starts_with('-')) {
    all = options_of(*place.command);
  } else if (const CLI::Option* operand = operand_of(place)) {
    all = values_of(*operand, interfaces);
  } else if (place.operands == 0) {
    all = subcommands_of(*place.command);
  }
  std::erase_if(all,
                [&](const Completion& each) { return each.word != kCompleteFiles && !each.word.starts_with(last); });
  return all;
}

int complete(const CLI::App& app, const std::vector<std::string>& words) {
  for (const Completion& each : find_completions(app, words, interfaces_to_see())) {
    std::cout << each.word << (each.description.empty() ? "" : "\t") << each.description << "\n";
  }
  return kExitDone;
}

}  // namespace adit::daemon
