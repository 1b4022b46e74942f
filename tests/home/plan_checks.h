// What must hold of every plan, whatever the configuration says.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "home/home_config.h"
#include "home/plan.h"

namespace adit::home {

/// Everything in a plan, for people and for comparison with files.
std::string text_of(const Plan& plan);

/// Puts a plan's files below a directory, for FreeBSD's own parsers.
void write_plan(const Plan& plan, const std::filesystem::path& directory);

/// What is wrong with a plan, or "".  Files of pf and jail may have only words of a fixed list, addresses and numbers
/// outside of quotes: so nothing that a person wrote is there.
std::string fault_of(const HomeConfig& config, const Plan& plan);

/// What a jail.conf string means to jaillex.l, or nothing if it does not end where the text does or names a variable.
std::vector<std::string> jail_strings(std::string_view text, std::string& outside, bool& is_sound);

}  // namespace adit::home
