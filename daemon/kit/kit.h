// What `adit init` writes: a gateway and, for the machine behind it, a kit of files.  Texts only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/port_list.h"
#include "config/secret.h"
#include "crypto/keys.h"

namespace adit::daemon {

/// Ports of the gateway that lead home.
struct KitForward {
  std::string name;  // "" when not given
  config::Protocol protocol = config::Protocol::kUdp;
  config::PortList ports;
  config::PortList home_ports;  // empty: the same
};

/// "udp/34197", "tcp/80,443=8080,8443", "factorio:udp/34197".  What is wrong with it, or nothing.
std::optional<std::string> read_forward_option(std::string_view text, KitForward& forward);

struct KitRequest {
  std::string interface = "wg0";
  config::PeerEndpoint endpoint;  // of the gateway, as home calls it
  uint16_t listen_port = 51820;
  // Of the tunnel: the first address is the gateway's, the second home's.
  Prefix network;
  std::optional<Prefix> network6;
  std::vector<KitForward> forwards;
  crypto::PrivateKey gateway_key;
  crypto::PrivateKey home_key;
  crypto::PresharedKey preshared_key;  // all zero: none
};

/// A text that may be a secret; it wipes itself.
struct KitFile {
  ~KitFile() { config::wipe_text(text); }

  std::string path;  // below the folder that all are written to
  unsigned mode;
  std::string text;
};

/// Every file, the gateway's own first.
std::vector<KitFile> make_kit(const KitRequest& request);

/// Throws config::ConfigError when the gateway's configuration would not be right, such as with one port twice.
void check_kit(const KitRequest& request);

/// Home's end as wg-quick reads it, without comments.  It holds a private key.
std::string home_wg_quick(const KitRequest& request);

/// What was written and what to do next.  `adit_options`: what `adit run` needs beside, such as " -c FILE".
std::string next_steps(const KitRequest& request, const std::vector<KitFile>& files,
                       const std::filesystem::path& directory, const std::string& adit_options);

}  // namespace adit::daemon
