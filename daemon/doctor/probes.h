// Asking endpoints and services, each for as long as `patience`.
#pragma once

#include <chrono>
#include <string>

#include "daemon/doctor/facts.h"
#include "daemon/doctor/way.h"

namespace adit::doctor {

/// Sends a datagram of `size` bytes, and says with which errno it was refused; 0 for silence, and ECANCELED stands for
/// an answer.
int ask_udp(const Endpoint& to, size_t size, const Way& way, std::chrono::milliseconds patience);

/// Connects and closes: 0 when that is accepted, ETIMEDOUT when nothing happens.
int ask_tcp(const Endpoint& to, const Way& way, std::chrono::milliseconds patience);

ServiceProbe::Outcome ask_service(const Endpoint& to, bool tcp, const Way& way, std::chrono::milliseconds patience);

/// The addresses of a name; `error` says why there are none.
std::vector<Ip> look_up(const std::string& name, std::string& error);

/// The errno of binding a port as the gateway would; 0 when it is free, as it then is again.
int try_bind(const Endpoint& local, bool tcp);

}  // namespace adit::doctor
