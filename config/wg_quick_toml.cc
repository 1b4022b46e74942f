// A file of wg-quick's as adit.toml.
#include <algorithm>

#include "config/problems.h"
#include "config/wg_quick.h"

namespace adit::config {
namespace {

template <typename Item>
std::vector<std::string> texts_of(const std::vector<Item>& items) {
  std::vector<std::string> texts;
  for (const Item& item : items) texts.push_back(item.to_string());
  return texts;
}

bool holds_key(const Config& config) {
  const auto has_key = [](const Peer& peer) { return !peer.preshared_key.is_zero(); };
  return !config.interface.private_key.is_zero() || std::ranges::any_of(config.peers, has_key);
}

/// A sentence as indented comments of a readable width.
void write_wrapped(std::string_view text, TomlWriter& to) {
  constexpr size_t kWidth = 100;
  while (!text.empty()) {
    const size_t blank = text.size() <= kWidth ? text.npos : text.rfind(' ', kWidth);
    const size_t end = std::min(blank, text.size());
    to.comment("    " + std::string(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void write_leftover(const Leftover& leftover, TomlWriter& to) {
  to.comment("  " + line_of(leftover.place) + ": " + leftover.what);
  write_wrapped(leftover.advice, to);
}

void write_head(const WgQuick& from, const std::string& file, TomlWriter& to) {
  to.comment("Made of " + file + " by adit import.");
  if (holds_key(from.config)) {
    to.comment("It holds keys: it is refused while others than its owner may read it (chmod 600).");
  }
  if (from.leftovers.empty()) return;
  to.comment("");
  to.comment("What " + file + " has beside that, and what to do instead:");
  for (const Leftover& leftover : from.leftovers) write_leftover(leftover, to);
}

void write_comments(const std::vector<std::string>& comments, TomlWriter& to) {
  for (const std::string& comment : comments) to.comment(comment);
}

void write_interface(const WgQuick& from, TomlWriter& to) {
  const Interface& interface = from.config.interface;
  to.blank();
  write_comments(from.interface_comments, to);
  to.section("[interface]");
  to.text("name", interface.name);
  if (interface.private_key.is_zero()) {
    to.text("private_key_file", interface.name + ".key", "the key goes there: chmod 600");
  } else {
    to.secret("private_key", interface.private_key.bytes());
  }
  if (interface.listen_port != 0) to.number("listen_port", interface.listen_port);
  if (!interface.addresses.empty()) to.texts("addresses", texts_of(interface.addresses));
  if (from.has_mtu) to.number("mtu", interface.mtu);
  if (interface.fwmark != 0) to.number("fwmark", interface.fwmark);
  if (!interface.add_routes) to.text("table", "off");
  if (interface.table != 0) to.number("table", interface.table);
}

void write_peer(const Peer& peer, const std::vector<std::string>& comments, TomlWriter& to) {
  to.blank();
  write_comments(comments, to);
  to.section("[[peer]]");
  to.text("public_key", peer.public_key.to_base64());
  if (!peer.preshared_key.is_zero()) to.secret("preshared_key", peer.preshared_key.bytes());
  if (peer.endpoint) to.text("endpoint", peer.endpoint->to_string());
  if (!peer.allowed_ips.empty()) to.texts("allowed_ips", texts_of(peer.allowed_ips));
  if (peer.persistent_keepalive != 0) to.number("persistent_keepalive", peer.persistent_keepalive);
}

}  // namespace

void write_toml(const WgQuick& from, const std::string& file, TomlWriter& to) {
  write_head(from, file, to);
  write_interface(from, to);
  for (size_t i = 0; i < from.config.peers.size(); ++i) {
    write_peer(from.config.peers[i], from.peer_comments[i], to);
  }
}

}  // namespace adit::config
