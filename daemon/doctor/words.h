// Words that several findings need.
#pragma once

#include <string>

#include "daemon/doctor/facts.h"

namespace adit::doctor {

/// `text` with every `from` in it replaced.
std::string with(std::string text, const std::string& from, const std::string& to);
/// The advice to open a port, for this machine.
std::string open_port(const Advice& advice, uint16_t port, bool tcp);
/// "then: adit reload wg0".
std::string then_reload(const Facts& facts);
/// The configuration's file, or a name for one that is not known.
std::string file_of(const Facts& facts);
/// "Permission denied", of an errno.
std::string reason(int error);
/// "2026-11-21 20:00:05 UTC".
std::string time_text(UnixTime time);

}  // namespace adit::doctor
