#include "daemon/lab/world.h"

#include <initializer_list>

#include "net/interface.h"

namespace adit::lab {
namespace {

void plug_in(Stage& stage, const char* place, const char* towards, std::initializer_list<const char*> addresses) {
  stage.enter(place);
  const std::string cable = cable_to(towards);
  for (const char* address : addresses) add_address(cable, ip(address), ip(address).is_v4() ? 24 : 64);
  set_up(cable);
}

}  // namespace

void furnish(Stage& stage) {
  for (const char* place : {kPlayer, kVps, kHome, kJail}) stage.add(place);

  stage.connect(kPlayer, kVps);
  plug_in(stage, kPlayer, kVps, {kAnn, kBob, kCleo, kDan});
  plug_in(stage, kVps, kPlayer, {kVpsToPlayersV4, kVpsToPlayersV6});

  stage.connect(kVps, kHome);
  plug_in(stage, kVps, kHome, {kVpsToHome});
  plug_in(stage, kHome, kVps, {kHomeToVps});

  // The jail's address is one of the tunnel's, but the machines of the tunnel are not on its cable: home is the router
  // between them, for this one address.
  stage.connect(kHome, kJail);
  plug_in(stage, kHome, kJail, {kHomeToJail});
  add_route(cable_to(kJail), Prefix::of(ip(kServer), 32), 0);
  stage.forward_ipv4(true);
  stage.enter(kJail);
  add_address(cable_to(kHome), ip(kServer), 32);
  set_up(cable_to(kHome));
  add_route(cable_to(kHome), Prefix::of(ip(kHomeToJail), 32), 0);
  stage.route(Prefix::of(ip(kVpsInTunnel), 32), ip(kHomeToJail));

  // The machine this runs on may be a router; the VPS is to work without being one.
  stage.enter(kVps);
  stage.forward_ipv4(false);
}

}  // namespace adit::lab
