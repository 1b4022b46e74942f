// rtnetlink: one request to the kernel's network configuration and its answer; and what needs no more than that.
// Linux only.  Everything acts on the network namespace of the calling thread.
#pragma once

#include <libmnl/libmnl.h>

#include <array>
#include <functional>
#include <string>

#include "net/addr.h"

namespace adit {

/// A message built piece by piece: the fixed header that belongs to its type, then attributes, which may nest.
class NetlinkRequest {
 public:
  /// `what` begins the text of every error.  `type` and `flags` as in linux/rtnetlink.h and linux/netlink.h.
  template <typename Header>
  NetlinkRequest(std::string what, uint16_t type, uint16_t flags, const Header& header)
      : NetlinkRequest(std::move(what), type, flags) {
    put_header(&header, sizeof header);
  }
  NetlinkRequest(const NetlinkRequest&) = delete;
  NetlinkRequest& operator=(const NetlinkRequest&) = delete;

  /// Attributes.  Throw std::system_error when the message would grow over its buffer.
  void put(uint16_t attribute, uint32_t value) { put_bytes(attribute, &value, sizeof value); }
  void put_byte(uint16_t attribute, uint8_t value) { put_bytes(attribute, &value, sizeof value); }
  void put(uint16_t attribute, const std::string& text) { put_bytes(attribute, text.c_str(), text.size() + 1); }
  void put(uint16_t attribute, const Ip& ip) { put_bytes(attribute, ip.bytes().data(), ip.bytes().size()); }
  /// A fixed header inside a nest, as VETH_INFO_PEER has one.
  template <typename Header>
  void put_header(const Header& header) {
    put_header(&header, sizeof header);
  }
  /// Attributes that `fill` puts go inside `attribute`.
  void nest(uint16_t attribute, const std::function<void()>& fill);

  /// Sends it and waits until the kernel has done it.  Throws std::system_error if it does not.
  void send();
  /// send() for what may be there already; false if it was (EEXIST).
  [[nodiscard]] bool send_unless_there();
  /// send() for what may be gone already (ESRCH, EADDRNOTAVAIL).
  void send_unless_gone();
  /// Sends it as a question and calls `each` with the answer.  Throws std::system_error.
  void ask(const std::function<void(const nlmsghdr*)>& each);
  /// Sends it as a question for a list and calls `each` with every answer.  Throws std::system_error.
  void list(const std::function<void(const nlmsghdr*)>& each);

 private:
  NetlinkRequest(std::string what, uint16_t type, uint16_t flags);
  void put_header(const void* header, size_t size);
  void put_bytes(uint16_t attribute, const void* data, size_t size);
  [[nodiscard]] int exchange(uint16_t flags, const std::function<void(const nlmsghdr*)>& each);
  [[noreturn]] void fail(int error) const;

  std::string what_;
  alignas(nlmsghdr) std::array<char, 1024> buffer_;
  nlmsghdr* message_;
};

/// The kernel's number for an interface.  Throws std::system_error "`what`: No such device".
unsigned interface_index(const std::string& interface, const std::string& what);

/// Two new interfaces joined by a cable, both down.  All below throw std::system_error that says what was tried.
void create_veth(const std::string& name, const std::string& peer_name);
/// Gives an interface away to the namespace that `namespace_fd` is open on; it arrives there down, without addresses.
void move_to_namespace(const std::string& interface, int namespace_fd);
/// A route in the main table; `gateway` must be of the destination's IP version and reachable already.
void add_route_via(const Prefix& destination, const Ip& gateway);

}  // namespace adit
