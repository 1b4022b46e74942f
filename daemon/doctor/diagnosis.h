// What `adit doctor` has to say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace adit::doctor {

/// What can be wrong.  Their names are for scripts and for docs/troubleshooting.md, and never change.
enum class Code : uint8_t {
  // Before the gateway runs.
  kConfigWrong,
  kSwappedKeys,
  kNoPermission,
  kNoTun,
  kInterfaceExists,
  kPortInUse,
  kAddressMissing,
  kNotRunning,
  // Until there is a handshake.
  kPortClosed,
  kWrongKey,
  kWrongPsk,
  kClockOff,
  kEndpointGone,
  kOldSession,
  // Within the tunnel.
  kWrongAllowedIps,
  kMtuBlackHole,
  kServiceDead,
  // Players.
  kFlowTableFull,
  kSourceFlowsFull,
  kCount
};

/// "port_closed".
std::string_view code_name(Code code) noexcept;

struct Finding {
  Code code;
  std::string what;                // one sentence
  std::vector<std::string> saw;    // what it is concluded from
  std::vector<std::string> to_do;  // commands, lines of the configuration
};

struct Diagnosis {
  std::vector<Finding> findings;
  std::vector<std::string> well;    // what is, in the order of a packet's way
  std::vector<std::string> unseen;  // what could not be looked at, and why

  [[nodiscard]] bool has(Code code) const noexcept;
};

}  // namespace adit::doctor
