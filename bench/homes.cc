// The load of bench/peers.py: homes, each with keys and a session of its own, at one UDP socket.
//
//     adit_homes HOMES ADDRESSES PEERS_FILE
//
// ADDRESSES of 10.0.0.0/8 are dealt out to the homes, and wg's [Peer] sections for them written to PEERS_FILE.  Then it
// does what it reads, a line each, and prints a line when that is done:
//
//     connect GATEWAYS_KEY ENDPOINT    a session for each home: "connected"
//     send RATE SECONDS SIZE           inner packets of SIZE bytes from any of the addresses: "sent COUNT"
#include <sys/socket.h>

#include <array>
#include <fstream>
#include <iostream>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "net/clock.h"
#include "net/fd.h"
#include "net/sockaddr.h"
#include "tunnel/tunnel.h"

namespace adit::tunnel {
namespace {

constexpr size_t kAtOnce = 64;
constexpr milliseconds kBetweenHandshakes(4);  // as many a second as a gateway answers without cookies
constexpr int kBuffer = 16 << 20;

class Homes {
 public:
  Homes(uint32_t homes, uint32_t addresses) : addresses_(addresses) {
    for (uint32_t i = 0; i < homes; ++i)
      homes_.push_back(std::make_unique<Tunnel>(crypto::generate_private_key(), 1420, pool_));
    check_call("setsockopt", ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBuffer, sizeof kBuffer));
    check_call("setsockopt", ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kBuffer, sizeof kBuffer));
  }

  void write_peers(std::ostream& out) const {
    for (uint32_t home = 0; home < homes_.size(); ++home) {
      out << "[Peer]\nPublicKey = " << homes_[home]->public_key().to_base64() << "\nAllowedIPs = ";
      for (size_t i = home; i < addresses_; i += homes_.size())
        out << (i == home ? "" : ", ") << address(static_cast<uint32_t>(i)).to_string() << "/32";
      out << "\n";
    }
  }

  void connect(const crypto::PublicKey& gateway, const Endpoint& endpoint) {
    sockaddr_storage to{};
    const socklen_t size = to_sockaddr(endpoint, to);
    check_call("connect", ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), size));
    Time due = read_clock().mono;
    for (uint32_t i = 0; i < homes_.size(); ++i) {
      homes_[i]->add_peer({gateway, {}, endpoint, {Prefix::of(Ip::v4(0), 0)}}, read_clock());
      encapsulate(i, i, 100);
      begun_[load_le32(sent_.sealed().front().packet.data() + 4)] = i;  // paper 5.4.2: the sender's index
      send_all();
      for (due += kBetweenHandshakes; read_clock().mono < due; std::this_thread::sleep_for(milliseconds(1))) hear();
    }
    const Time patience = read_clock().mono + seconds(2);
    while (!begun_.empty() && read_clock().mono < patience) hear();
    if (!begun_.empty()) throw std::runtime_error(std::to_string(begun_.size()) + " homes had no answer");
  }

  uint64_t send(uint64_t rate, uint64_t for_seconds, size_t size) {
    const Time start = read_clock().mono;
    uint64_t count = 0;
    for (; count < rate * for_seconds; count += kAtOnce) {
      std::this_thread::sleep_for(start + nanoseconds(count * 1'000'000'000 / rate) - read_clock().mono);
      for (size_t i = 0; i < kAtOnce; ++i) {
        const auto target = static_cast<uint32_t>(random_() % addresses_);
        encapsulate(target % static_cast<uint32_t>(homes_.size()), target, size);
      }
      send_all();
    }
    return count;
  }

 private:
  /// All over 10.0.0.0/8, none twice.
  static Ip address(uint32_t number) { return Ip::v4(0x0a000000 | ((number + 1) * 0x9e3779b1 & 0xffffff)); }

  void encapsulate(uint32_t home, uint32_t source, size_t size) {
    inner_.push_back(pool_.take());
    const Bytes bytes = inner_.back().push_back(size);
    bytes[0] = 0x45;
    store_be16(&bytes[2], static_cast<uint16_t>(size));
    copy_bytes(address(source).bytes(), &bytes[12]);
    copy_bytes(Ip::v4(0xc0000209).bytes(), &bytes[16]);
    homes_[home]->encapsulate(inner_, read_clock(), sent_, unreachable_);
  }

  void send_all() {
    Datagrams& datagrams = sent_.sealed();
    std::array<iovec, kAtOnce> pieces;
    std::array<mmsghdr, kAtOnce> messages{};
    for (size_t i = 0; i < datagrams.size(); ++i) {
      pieces[i] = {datagrams[i].packet.data(), datagrams[i].packet.size()};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (size_t done = 0; done < datagrams.size();) {
      done += static_cast<size_t>(check_call(
          "sendmmsg", ::sendmmsg(socket_.get(), &messages[done], static_cast<unsigned>(datagrams.size() - done), 0)));
    }
    datagrams.clear();
  }

  /// What answers initiations; the rest is of no use here.
  void hear() {
    for (;;) {
      Packet packet = pool_.take();
      const ssize_t size = ::recv(socket_.get(), packet.push_back(1500).data(), 1500, MSG_DONTWAIT);
      if (size < 12) return;
      packet.trim_to(static_cast<size_t>(size));
      const auto found = begun_.find(load_le32(packet.data() + 8));
      if (packet.data()[0] != 2 || found == begun_.end()) continue;
      incoming_.datagrams.push_back({std::move(packet), {}, {}});
      Tunnel& home = *homes_[found->second];
      begun_.erase(found);
      home.decapsulate(incoming_, read_clock(), sent_);
      incoming_.open();
      home.accept(incoming_, read_clock(), inner_, sent_);
      send_all();
    }
  }

  uint32_t addresses_;
  PacketPool pool_{1024, 1600};
  std::vector<std::unique_ptr<Tunnel>> homes_;
  std::unordered_map<uint32_t, uint32_t> begun_;  // homes by the index of their initiation
  Fd socket_{check_call("socket", ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))};
  Incoming incoming_;
  PacketBatch inner_, unreachable_;
  Outgoing sent_;
  std::mt19937 random_{1};
};

void obey(Homes& homes) {
  for (std::string command; std::cin >> command;) {
    if (command == "connect") {
      std::string key, endpoint;
      std::cin >> key >> endpoint;
      homes.connect(*crypto::PublicKey::from_base64(key), *Endpoint::parse(endpoint));
      std::cout << "connected" << std::endl;
    } else {
      uint64_t rate = 0, seconds = 0, size = 0;
      std::cin >> rate >> seconds >> size;
      std::cout << "sent " << homes.send(rate, seconds, size) << std::endl;
    }
  }
}

}  // namespace
}  // namespace adit::tunnel

int main(int argc, char** argv) try {
  if (argc != 4) throw std::runtime_error("usage: adit_homes HOMES ADDRESSES PEERS_FILE");
  adit::tunnel::Homes homes(static_cast<uint32_t>(std::stoul(argv[1])), static_cast<uint32_t>(std::stoul(argv[2])));
  std::ofstream file(argv[3]);
  homes.write_peers(file);
  file.close();
  std::cout << "written" << std::endl;
  adit::tunnel::obey(homes);
} catch (const std::exception& error) {
  std::cerr << "adit_homes: " << error.what() << "\n";
  return 1;
}
