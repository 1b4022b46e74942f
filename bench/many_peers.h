// A tunnel among many: its peers are tunnels of their own, with sessions, and traffic goes to or comes from any of
// them.
#pragma once

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "tunnel/tunnel.h"

namespace adit::tunnel {

/// All three steps of receiving.
inline void receive(Tunnel& tunnel, Incoming& incoming, Now now, PacketBatch& inner, Outgoing& replies) {
  tunnel.decapsulate(incoming, now, replies);
  incoming.open();
  tunnel.accept(incoming, now, inner, replies);
}

/// What one end has sent, on its way to the other, to which it seems to come from `source`.
inline void carry(Outgoing& sent, Incoming& incoming, const Endpoint& source) {
  for (Datagram& datagram : sent.sealed()) {
    datagram.remote = source;
    incoming.datagrams.push_back(std::move(datagram));
  }
  sent.sealed().clear();
}

/// `prefixes` single addresses, IPv4 or IPv6, are dealt out to the peers.  Time stands still once all have sessions.
class ManyPeers {
 public:
  ManyPeers(uint32_t peers, uint32_t prefixes, bool v4) : prefixes_(prefixes), v4_(v4) {
    const crypto::PrivateKey key = crypto::generate_private_key();
    gateway = std::make_unique<Tunnel>(key, 1420, pool);
    std::vector<PeerSettings> settings(peers);
    for (uint32_t i = 0; i < peers; ++i) {
      const crypto::PrivateKey home_key = crypto::generate_private_key();
      homes_.push_back(std::make_unique<Tunnel>(home_key, 1420, pool));
      homes_[i]->add_peer({gateway->public_key(), {}, kGateway, {*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")}},
                          now);
      settings[i].public_key = homes_[i]->public_key();
    }
    for (uint32_t i = 0; i < prefixes; ++i) {
      const Ip ip = address(i);
      settings[i % peers].allowed_ips.push_back({ip, static_cast<uint8_t>(ip.bits())});
    }
    for (uint32_t i = 0; i < peers; ++i) {
      gateway->add_peer(settings[i], now);
      connect(i);
    }
  }

  /// The next batch's packets, each of them to any address, `burst` in a row to the same.
  void fill(PacketBatch& inner, size_t count, size_t size, size_t burst) {
    for (size_t i = 0; i < count; ++i) {
      if (turn_++ % burst == 0) target_ = static_cast<uint32_t>(random_() % prefixes_);
      inner.push_back(packet(size, beyond(), address(target_)));
    }
  }
  /// The same from there, as datagrams to the gateway.
  void fill(Incoming& incoming, size_t count, size_t size, size_t burst) {
    for (size_t i = 0; i < count; ++i) {
      if (turn_++ % burst == 0) target_ = static_cast<uint32_t>(random_() % prefixes_);
      const auto home = static_cast<uint32_t>(target_ % homes_.size());
      scratch_.push_back(packet(size, address(target_), beyond()));
      homes_[home]->encapsulate(scratch_, now, sent_, unreachable_);
      carry(sent_, incoming, outside(home));
    }
  }

  Now now{Time(seconds(1000)), WallTime(seconds(1'700'000'000))};
  PacketPool pool{1024, 1600};
  std::unique_ptr<Tunnel> gateway;

  /// Makes inner packets their own answers.
  void turn_around(PacketBatch& packets) const {
    for (Packet& packet : packets) {
      uint8_t* const addresses = packet.data() + (v4_ ? 12 : 8);
      const size_t size = v4_ ? 4 : 16;
      std::swap_ranges(addresses, addresses + size, addresses + size);
    }
  }

 private:
  static constexpr size_t kHeader = 40;
  static inline const Endpoint kGateway = *Endpoint::parse("192.0.2.1:51820");

  static Endpoint outside(uint32_t home) { return {Ip::v4(0xc6120000 + home), 51820}; }

  /// Who speaks with the peers through the gateway.
  [[nodiscard]] Ip beyond() const { return *Ip::parse(v4_ ? "192.0.2.9" : "2001:db8::9"); }

  /// All over the address space, none twice.
  [[nodiscard]] Ip address(uint32_t number) const {
    const uint32_t high = (number + 1) * 0x9e3779b1;
    if (v4_) return Ip::v4(high);
    std::array<uint8_t, 16> raw{};
    store_be32(raw.data(), high);
    store_be32(raw.data() + 12, number);
    return Ip::v6(raw);
  }

  Packet packet(size_t size, const Ip& source, const Ip& destination) {
    Packet packet = pool.take();
    const Bytes bytes = packet.push_back(size);
    if (v4_) {
      bytes[0] = 0x45;
      store_be16(&bytes[2], static_cast<uint16_t>(size));
      copy_bytes(source.bytes(), &bytes[12]);
      copy_bytes(destination.bytes(), &bytes[16]);
    } else {
      bytes[0] = 0x60;
      store_be16(&bytes[4], static_cast<uint16_t>(size - kHeader));
      copy_bytes(source.raw(), &bytes[8]);
      copy_bytes(destination.raw(), &bytes[24]);
    }
    return packet;
  }

  void connect(uint32_t home) {
    now.mono += milliseconds(3);  // as many a second as the gateway answers without cookies
    now.wall += milliseconds(3);
    Outgoing to_home;
    Incoming incoming;
    PacketBatch inner;
    inner.push_back(packet(100, address(home), beyond()));
    homes_[home]->encapsulate(inner, now, sent_, unreachable_);
    while (!sent_.empty()) {
      carry(sent_, incoming, outside(home));
      receive(*gateway, incoming, now, inner, to_home);
      carry(to_home, incoming, kGateway);
      receive(*homes_[home], incoming, now, inner, sent_);
    }
    if (inner.size() != 1) throw std::runtime_error("no session");
  }

  uint32_t prefixes_;
  bool v4_;
  std::vector<std::unique_ptr<Tunnel>> homes_;
  PacketBatch scratch_;
  Outgoing sent_;
  PacketBatch unreachable_;
  std::mt19937 random_{1};
  size_t turn_ = 0;
  uint32_t target_ = 0;
};

}  // namespace adit::tunnel
