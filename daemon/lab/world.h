// The world of demo and bench forward: who has which address and which cable, as in the use the gateway is made for.
// All public addresses are from the documentation ranges (RFC 5737, RFC 3849).
#pragma once

#include "daemon/lab/stage.h"
#include "net/addr.h"

namespace adit::lab {

// The places.
inline constexpr const char* kPlayer = "player";
inline constexpr const char* kVps = "vps";
inline constexpr const char* kHome = "home";
inline constexpr const char* kJail = "jail";

// Between the players and the VPS: the internet.
inline constexpr const char* kAnn = "203.0.113.11";
inline constexpr const char* kBob = "203.0.113.12";
inline constexpr const char* kCleo = "2001:db8:113::11";
inline constexpr const char* kDan = "2001:db8:113::12";
inline constexpr const char* kVpsToPlayersV4 = "203.0.113.1";
inline constexpr const char* kVpsToPlayersV6 = "2001:db8:113::1";

// Between home and the VPS: the internet again.
inline constexpr const char* kVpsToHome = "198.51.100.1";
inline constexpr const char* kHomeToVps = "198.51.100.2";

// Inside home, from the machine to its jail.
inline constexpr const char* kHomeToJail = "192.168.1.1";

// Inside the tunnel.
inline constexpr const char* kVpsInTunnel = "10.1.2.5";
inline constexpr const char* kServer = "10.1.2.2";

inline constexpr uint16_t kGamePort = 34197;

/// An address of this file as a value.
inline Ip ip(const char* text) { return Ip::parse(text).value(); }

/// Puts places, cables, addresses and routes on an empty stage; tunnel interfaces are not among them.
void furnish(Stage& stage);

}  // namespace adit::lab
