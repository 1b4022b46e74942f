// Two machines with a cable between them, and tunnels of any program that has wireguard-go's command line.
#pragma once

#include <functional>
#include <memory>

#include "crypto/keys.h"
#include "daemon/bench/machine.h"
#include "daemon/lab/process.h"
#include "daemon/lab/stage.h"

namespace adit::bench {

inline constexpr const char* kNear = "near";
inline constexpr const char* kFar = "far";
inline constexpr const char* kFarInTunnel = "10.9.0.2";

/// Puts the machines, the cable and its addresses on an empty stage.
void furnish_two(lab::Stage& stage);

/// A tunnel between the two that is ready for traffic.  Its processes and interfaces end with it.
class Session {
 public:
  /// Throws std::runtime_error with the program's log when it does not do what wireguard-go would.
  Session(lab::Stage& stage, const std::string& program);

  /// Throws std::runtime_error with its log if an end has ended.
  void require_running();
  /// Of both ends.
  [[nodiscard]] ProcessCost cost() const;

 private:
  struct End;
  void start(const End& end);
  void configure(const End& end, const crypto::PrivateKey& key, const End& other, const crypto::PublicKey& other_key);
  void wait_until(const std::string& what, const std::function<bool()>& condition);

  lab::Stage& stage_;
  std::string program_;
  std::vector<std::unique_ptr<lab::Process>> processes_;
};

}  // namespace adit::bench
