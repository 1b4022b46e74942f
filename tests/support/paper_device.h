// An interface on paper: takes what WireGuard's configuration protocol sets, gives it back, and does nothing else.
#pragma once

#include <map>

#include "daemon/uapi.h"

namespace adit::test {

class PaperDevice : public daemon::UapiTarget {
 public:
  // What it was told.
  crypto::PrivateKey private_key;
  uint16_t listen_port = 0;
  uint32_t fwmark = 0;
  std::map<crypto::PublicKey, tunnel::PeerStatus> peers;
  std::vector<crypto::PublicKey> finished;  // peers whose part of a set has ended, in that order
  int sets = 0;                             // that have ended
  int reloads = 0;

  // What it is to say.
  crypto::PublicKey own_key;  // all zero: none
  uint16_t busy_port = 0;
  bool may_mark = true;
  std::string shown = "{}";
  daemon::ReloadResult reload_result;

  [[nodiscard]] daemon::DeviceStatus device() const override;
  [[nodiscard]] std::string show() const override { return shown; }
  [[nodiscard]] daemon::ReloadResult reload() override {
    ++reloads;
    return reload_result;
  }
  [[nodiscard]] bool is_own_key(const crypto::PublicKey& key) const override;
  void set_private_key(const crypto::PrivateKey& key) override { private_key = key; }
  [[nodiscard]] bool set_listen_port(uint16_t port) override;
  [[nodiscard]] bool set_fwmark(uint32_t mark) override;
  void remove_all_peers() override { peers.clear(); }
  [[nodiscard]] bool has_peer(const crypto::PublicKey& peer) const override { return peers.contains(peer); }
  void add_peer(const crypto::PublicKey& peer) override;
  void remove_peer(const crypto::PublicKey& peer) override { peers.erase(peer); }
  void set_preshared_key(const crypto::PublicKey& peer, const crypto::PresharedKey& key) override;
  void set_endpoint(const crypto::PublicKey& peer, const Endpoint& endpoint) override;
  void set_persistent_keepalive(const crypto::PublicKey& peer, seconds interval) override;
  void disallow_all_ips(const crypto::PublicKey& peer) override;
  void allow_ip(const crypto::PublicKey& peer, const Prefix& prefix) override;
  void disallow_ip(const crypto::PublicKey& peer, const Prefix& prefix) override;
  void peer_is_set(const crypto::PublicKey& peer) override;
  void set_is_done() override { ++sets; }

 private:
  /// Aborts for a peer that is not there: nobody may set anything of it.
  tunnel::PeerStatus& existing(const crypto::PublicKey& peer);
};

}  // namespace adit::test
