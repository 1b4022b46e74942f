// Where in a pf.conf translation rules may stand. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace adit::home {

/// The offset of the line that begins the first translation or filter statement; the file's size if it has none.
///
/// pf.conf(5) wants options, tables, queues and normalization before translation, and translation before filtering.
/// Read as pfctl's scanner reads: a backslash at a line's end goes on in the next line, in comments, too; quotes and
/// braces go over several lines. An `include` is passed over: what it brings, only `pfctl -n` knows.
size_t find_pf_translation(std::string_view pf_conf);

}  // namespace adit::home
