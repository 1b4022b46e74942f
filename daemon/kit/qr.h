// A text as a QR code for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace adit::daemon {

/// Two rows of modules to a line, as blocks of UTF-8: what is printed is light, what is left blank is dark.  With
/// `colours` both are set, so that it is read on light and dark terminals alike; without, the terminal must be dark.
/// Throws std::runtime_error when the text is too long (2953 bytes).
std::string qr_code(std::string_view text, bool colours);

}  // namespace adit::daemon
