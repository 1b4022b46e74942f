// WireGuard's cross-platform interface (https://www.wireguard.com/xplatform/), what `wg` speaks: text in, text out, and
// calls on whatever is being configured.  No I/O (but that the kernel is asked for the number of a zone's name), and
// memory does not grow with what a client sends.
//
// How it works.  A conversation is requests one after another: "get=1", "show=1" (adit's own, one line of JSON),
// "reload=1" (adit's own; lines that say why not) or "set=1" with a line for each thing to set, ended by an empty line.
// Every answer ends with "errno=NUMBER" (0, or an errno value with a minus sign) and an empty line.  Anything else ends
// the conversation without an answer.  Lines of a set take effect one by one: those before a bad one stay, those behind
// it up to the empty line are passed over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/keys.h"
#include "net/addr.h"
#include "net/time.h"
#include "tunnel/tunnel.h"

namespace adit::daemon {

/// Everything that "get" tells.
struct DeviceStatus {
  crypto::PrivateKey private_key;  // all zero: none
  uint16_t listen_port = 0;
  uint32_t fwmark = 0;
  std::vector<tunnel::PeerStatus> peers;
};

/// What has become of a reload.
struct ReloadResult {
  int error = 0;     // 0, or a negative errno value: -EINVAL for a configuration that is wrong
  std::string text;  // why, for an administrator; lines without an empty one
};

/// What a conversation is about: an interface that can be asked and set.  Peers are named by their keys; calls that set
/// something of a peer are made only for peers that are there.
class UapiTarget {
 public:
  virtual ~UapiTarget() = default;

  [[nodiscard]] virtual DeviceStatus device() const = 0;
  /// One line of JSON, without its end.
  [[nodiscard]] virtual std::string show() const = 0;
  /// Reads the configuration anew; nothing changes if that fails.
  [[nodiscard]] virtual ReloadResult reload() = 0;

  [[nodiscard]] virtual bool is_own_key(const crypto::PublicKey& key) const = 0;
  /// All zero removes it.
  virtual void set_private_key(const crypto::PrivateKey& key) = 0;
  /// False, and nothing has changed, when the port cannot be had; 0: any.
  [[nodiscard]] virtual bool set_listen_port(uint16_t port) = 0;
  /// False when the kernel does not let us; 0 removes it.
  [[nodiscard]] virtual bool set_fwmark(uint32_t mark) = 0;
  virtual void remove_all_peers() = 0;

  [[nodiscard]] virtual bool has_peer(const crypto::PublicKey& peer) const = 0;
  virtual void add_peer(const crypto::PublicKey& peer) = 0;
  virtual void remove_peer(const crypto::PublicKey& peer) = 0;
  virtual void set_preshared_key(const crypto::PublicKey& peer, const crypto::PresharedKey& key) = 0;
  virtual void set_endpoint(const crypto::PublicKey& peer, const Endpoint& endpoint) = 0;
  virtual void set_persistent_keepalive(const crypto::PublicKey& peer, seconds interval) = 0;
  virtual void disallow_all_ips(const crypto::PublicKey& peer) = 0;
  virtual void allow_ip(const crypto::PublicKey& peer, const Prefix& prefix) = 0;
  virtual void disallow_ip(const crypto::PublicKey& peer, const Prefix& prefix) = 0;
  /// The peer's part of a set has ended: what waited for it may go.
  virtual void peer_is_set(const crypto::PublicKey& peer) = 0;
  /// A set has ended.
  virtual void set_is_done() = 0;
};

/// The answer to "get=1" without its errno line.
std::string device_text(const DeviceStatus& device);

/// The lines of one "set=1", one after another.
class UapiSet {
 public:
  explicit UapiSet(UapiTarget& target) : target_(target) {}
  /// Applies a line that is not empty.  0, or a negative errno value; then the set is over but for end().
  [[nodiscard]] int line(std::string_view text);
  void end();

 private:
  [[nodiscard]] int device_line(std::string_view key, std::string_view value);
  [[nodiscard]] bool begin_peer(std::string_view value);
  [[nodiscard]] bool peer_line(std::string_view key, std::string_view value);
  void end_peer();
  [[nodiscard]] bool allowed_ip(std::string_view value);

  UapiTarget& target_;
  bool in_peer_ = false;
  // A dummy takes lines and does nothing: our own key, or a peer that was removed or must not be created.
  bool is_dummy_ = false;
  bool was_created_ = false;
  crypto::PublicKey peer_;
};

/// One client's side of it.
class UapiConversation {
 public:
  explicit UapiConversation(UapiTarget& target) : target_(target), set_(target) {}

  /// Takes what a client sent, up to the next answer at most.  Returns how much that was; the rest is to be given again
  /// once the answer has been sent.
  size_t take(std::string_view bytes);
  /// The client sends no more: a set that is under way ends here.
  void take_end();
  /// Moves out what is to be sent; empty if nothing.
  [[nodiscard]] std::string take_answer() noexcept { return std::exchange(answer_, {}); }
  [[nodiscard]] bool is_over() const noexcept { return doing_ == Doing::kOver; }

 private:
  enum class Doing : uint8_t { kRequest, kGet, kShow, kReload, kSet, kSkip, kOver };
  void end_line();
  void line_too_long();
  void line(std::string_view text);
  void request(std::string_view text);
  void reload();
  void finish(Doing next, int error, std::string text = {});

  UapiTarget& target_;
  UapiSet set_;
  Doing doing_ = Doing::kRequest;
  std::string begun_;    // a line whose end has not come yet
  bool is_cut_ = false;  // more of it came than a line may have
  std::string answer_;
};

}  // namespace adit::daemon
