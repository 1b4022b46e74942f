// adit init: a gateway and a kit for the machine at home, from options and, on a terminal, from answers.

#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "config/problems.h"
#include "config/values.h"
#include "crypto/random.h"
#include "daemon/commands/commands.h"
#include "daemon/kit/addresses.h"
#include "daemon/kit/kit.h"
#include "daemon/kit/qr.h"
#include "daemon/kit/write_new.h"
#include "net/fd.h"
#include "net/routes.h"

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

/// Somebody to ask, if standard input is a terminal.
class Asker {
 public:
  [[nodiscard]] bool is_there() const { return ::isatty(STDIN_FILENO) == 1; }
  [[nodiscard]] bool has_asked() const { return has_asked_; }

  /// `fallback`: what an empty answer means, if anything.
  std::string ask(const std::string& question, const std::string& fallback) {
    has_asked_ = true;
    std::string answer;
    do {
      std::cout << question << (fallback.empty() ? "" : " [" + fallback + "]") << ": " << std::flush;
      if (!std::getline(std::cin, answer)) throw UsageError("init: no answer");
      if (answer.empty()) answer = fallback;
    } while (answer.empty());
    return answer;
  }

 private:
  bool has_asked_ = false;
};

/// Words between blanks.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (size_t at = text.find_first_not_of(' '); at < text.size(); at = text.find_first_not_of(' ', at)) {
    const size_t end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

/// "none" alone is no forward.
std::vector<KitForward> forwards_of(const std::vector<std::string>& texts) {
  std::vector<KitForward> forwards;
  if (texts.size() == 1 && texts.front() == "none") return forwards;
  for (const std::string& text : texts) {
    const auto fault = read_forward_option(text, forwards.emplace_back());
    if (fault) throw UsageError("init: --forward " + config::in_quotes(text) + ": " + *fault);
  }
  return forwards;
}

/// Asks until the answer can be used.
template <typename Use>
auto ask_until(Asker& asker, const std::string& question, const std::string& fallback, Use use) {
  while (true) {
    try {
      return use(asker.ask(question, fallback));
    } catch (const UsageError& error) {
      if (std::cin.eof()) throw;
      std::cout << error.what() << "\n";
    }
  }
}

std::vector<KitForward> choose_forwards(const InitRequest& options, Asker& asker) {
  if (!options.forwards.empty()) return forwards_of(options.forwards);
  if (!asker.is_there()) {
    throw UsageError("init: which ports lead home? --forward is missing, such as --forward udp/34197 (or none)");
  }
  return ask_until(asker, "Which ports of this machine lead home, such as udp/34197 or tcp/80,443, or none?", "",
                   [](const std::string& answer) { return forwards_of(words_of(answer)); });
}

config::PeerEndpoint endpoint_of(const std::string& text, uint16_t port) {
  const std::string host = Ip::parse(text) ? in_scp(text) : text;
  if (const auto whole = config::parse_peer_endpoint(host)) return *whole;
  if (const auto with_port = config::parse_peer_endpoint(host + ":" + std::to_string(port))) return *with_port;
  throw UsageError("init: --endpoint " + config::in_quotes(text) + " is not a name or an address of this machine");
}

/// This machine's address as the internet knows it, if the routes tell: behind a cloud's NAT they do not.
std::string public_address() {
  for (const char* somewhere : {"198.41.0.4", "2001:503:ba3e::2:30"}) {  // a.root-servers.net: nothing is sent
    const auto own = source_towards(*Ip::parse(somewhere));
    if (own && own->is_v4() && !is_public(*own)) return "";
    if (own && is_public(*own)) return own->to_string();
  }
  return "";
}

config::PeerEndpoint choose_endpoint(const InitRequest& options, Asker& asker) {
  const auto use = [&](const std::string& text) { return endpoint_of(text, options.listen_port); };
  if (!options.endpoint.empty()) return use(options.endpoint);
  const std::string own = public_address();
  if (asker.is_there()) return ask_until(asker, "By which name or address does home reach this machine?", own, use);
  if (!own.empty()) return use(own);
  throw UsageError(
      "init: by which name or address does home reach this machine? Its own address is not one of the internet, and "
      "--endpoint is missing");
}

Prefix network_of(const std::string& option, const std::string& text, bool v4) {
  const auto network = Prefix::parse(text);
  if (network && network->ip.is_v4() == v4 && holds_both_ends(*network)) return *network;
  throw UsageError("init: " + option + " must be like " + (v4 ? "10.1.2.0/24" : "fd00:1:2::/64") + ", not " +
                   config::in_quotes(text));
}

void choose_networks(const InitRequest& options, KitRequest& request) {
  const std::vector<Prefix> routed = routed_networks();
  if (!options.network.empty()) {
    request.network = network_of("--network", options.network, true);
  } else {
    const auto network = choose_network(routed, crypto::random_u32);
    if (!network) throw UsageError("init: no private network is free here: say which with --network");
    request.network = *network;
  }
  if (!options.ipv6) return;
  if (!options.network6.empty()) {
    request.network6 = network_of("--network6", options.network6, false);
  } else if (std::ranges::any_of(routed, [](const Prefix& each) { return each.ip.is_v6(); })) {
    request.network6 = choose_network6(crypto::random_u32);
  }
}

std::string choose_interface(const std::string& option) {
  if (!option.empty() && !config::is_interface_name(option)) {
    throw UsageError("init: --interface must be 1 to 15 letters, digits or _ = + . -");
  }
  if (!option.empty()) return option;
  for (int number = 0; number < 100; ++number) {
    const std::string name = "wg" + std::to_string(number);
    if (::if_nametoindex(name.c_str()) == 0) return name;
  }
  throw UsageError("init: wg0 to wg99 are taken: say which with --interface");
}

/// What is neither asked nor looked up; which files there will be depends on no more.
KitRequest begin(const InitRequest& options) {
  KitRequest request;
  request.interface = choose_interface(options.interface);
  request.listen_port = options.listen_port;
  request.gateway_key = crypto::generate_private_key();
  request.home_key = crypto::generate_private_key();
  if (options.preshared_key) request.preshared_key = crypto::generate_preshared_key();
  return request;
}

void complete(const InitRequest& options, Asker& asker, KitRequest& request) {
  request.forwards = choose_forwards(options, asker);
  request.endpoint = choose_endpoint(options, asker);
  choose_networks(options, request);
}

/// What fits no configuration is the options' fault.
void check(const KitRequest& request) {
  try {
    check_kit(request);
  } catch (const config::ConfigError& error) {
    std::string text = "init: these options do not fit together:";
    for (const config::Problem& problem : error.problems()) text += "\n  " + problem.text;
    throw UsageError(text);
  }
}

void refuse_to_overwrite(const fs::path& directory, const std::vector<KitFile>& files) {
  const std::vector<fs::path> found = already_there(directory, files);
  if (found.empty()) return;
  std::string text = "init: nothing is written, as there is already";
  for (const fs::path& path : found) text += (path == found.front() ? " " : ", ") + path.string();
  throw std::runtime_error(text + " (another folder: --dir)");
}

void write(const fs::path& directory, const std::vector<KitFile>& files, const std::optional<User>& owner) {
  try {
    write_new(directory, files, owner);
  } catch (const std::system_error& error) {
    const bool is_denied = error.code() == std::errc::permission_denied;
    if (is_denied) throw std::runtime_error(std::string("init: ") + error.what() + " (as root, or with --dir)");
    throw;
  }
}

void show_qr(const KitRequest& request) {
  std::string text = home_wg_quick(request);
  std::string code = qr_code(text, ::isatty(STDOUT_FILENO) == 1);
  std::cout << "\nhome/wg0.conf, for the WireGuard app of a phone. Home's private key is in it: whoever sees this is "
               "home.\n\n"
            << code << std::flush;
  config::wipe_text(code);
  config::wipe_text(text);
}

}  // namespace

int init(const InitRequest& options) {
  Asker asker;
  const fs::path directory = fs::absolute(options.directory).lexically_normal();
  KitRequest request = begin(options);
  refuse_to_overwrite(directory, make_kit(request));  // before anybody is asked anything
  complete(options, asker, request);
  check(request);
  const std::vector<KitFile> files = make_kit(request);
  const std::optional<User> owner = service_user();
  write(directory, files, owner);
  const fs::path config = directory / "adit.toml";
  std::cout << next_steps(
      request, files, directory,
      (owner ? " --user " + owner->name : "") + (config == kDefaultConfig ? "" : " -c " + config.string()));
  const bool asked_for =
      options.qr ||
      (asker.has_asked() && asker.ask("\nShow home/wg0.conf, with its private key, as a QR code? y/n", "n") == "y");
  if (asked_for) show_qr(request);
  return kExitDone;
}

}  // namespace adit::daemon
