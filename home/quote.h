// Texts as the files' own languages quote them.
#pragma once

#include <string>
#include <string_view>

namespace adit::home {

/// In jail.conf(5)'s double quotes: \ " and $ lose their meaning (usr.sbin/jail/jaillex.l).  For printable ASCII.
std::string jail_quoted(std::string_view text);

/// In sh's single quotes.
std::string sh_quoted(std::string_view text);

/// In plain double quotes, for a text of one of home/words.h's narrow alphabets.
std::string in_double_quotes(std::string_view word);

}  // namespace adit::home
