#include "tests/home/random_config.h"

#include <initializer_list>
#include <random>
#include <vector>

namespace adit::home {
namespace {

constexpr const char* kKeys[] = {
    "r8ZfwTHhsW6ioRJ/l5o6z2pd8UqZxYYBwCg9xLc/Tn4=", "S81WgBNXHjA76n0jJKlKa//YJR3KE/ozEby2o4oDQUs=",
    "jUsa7a2uo0RjQV0ED/CyMQrUjvCzJGo3srXL+BwZcxw="};

std::string number(unsigned value) { return std::to_string(value); }

/// A text of TOML's single quotes, or of its double ones for one that holds a single quote.
std::string toml_text(const std::string& text) {
  if (text.find('\'') == text.npos) return "'" + text + "'";
  std::string quoted(1, '"');
  for (const char c : text) {
    if (c == '\\' || c == '"') quoted += '\\';
    quoted += c;
  }
  return quoted += '"';
}

class Writer {
 public:
  explicit Writer(uint32_t seed) : random_(seed) {}

  std::string write() {
    if (chance(60)) line("egress = " + pick({"\"em0\"", "\"egress\"", "\"vtnet0\"", "\"re0.100\"", "\"pass\""}));
    if (chance(60)) write_host();
    const unsigned tunnels = below(3);
    for (unsigned i = 0; i < tunnels; ++i) write_tunnel(i);
    const unsigned bridges = below(3);
    for (unsigned i = 0; i < bridges; ++i) write_bridge(i);
    const unsigned jails = 1 + below(4);
    for (unsigned i = 0; i < jails; ++i) {
      if (bridges != 0 && chance(50)) {
        write_vnet_jail(i, bridges);
      } else {
        write_loopback_jail(i);
      }
    }
    const unsigned redirects = jails_.empty() ? 0 : below(6);
    for (unsigned i = 0; i < redirects; ++i) write_redirect(i, tunnels);
    return text_;
  }

 private:
  struct Inside {
    std::string name;
    bool v4, v6;
  };

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  bool chance(unsigned percent) { return below(100) < percent; }
  std::string pick(std::initializer_list<const char*> choices) {
    return *(choices.begin() + below(static_cast<unsigned>(choices.size())));
  }
  void line(const std::string& text) { text_ += text + "\n"; }

  /// Ports that nothing else has.
  std::string fresh_ports() {
    std::string list = number(next_port_++);
    for (unsigned i = below(4); i != 0; --i) {
      list += "," + number(next_port_);
      const unsigned size = below(4);
      if (size != 0) list += "-" + number(next_port_ + size);
      next_port_ += size + 1;
    }
    return "\"" + list + "\"";
  }

  std::string command() {
    std::string text;
    for (unsigned i = 1 + below(40); i != 0; --i) text += static_cast<char>(' ' + below(95));
    return toml_text(text);
  }

  std::string word(const char* alphabet, size_t size, unsigned longest) {
    std::string text = pick({"a", "b", "x", "Z"});
    for (unsigned i = below(longest); i != 0; --i) text += alphabet[below(static_cast<unsigned>(size))];
    return text;
  }

  void write_host() {
    line("[host]");
    if (chance(50)) line("block = false");
    for (const char* key : {"private_tcp", "private_udp", "internet_tcp", "internet_udp"}) {
      if (chance(40)) line(std::string(key) + " = " + fresh_ports());
    }
  }

  void write_tunnel(unsigned i) {
    const std::string n = number(i);
    line("[[tunnel]]\nname = \"wg" + n + "\"");
    line("via = " + pick({"\"if_wg\"", "\"adit\""}));
    line("addresses = [\"10.200." + n + ".2/24\", \"fd00:200:" + n + "::2/64\"]");
    line("gateway = [\"10.200." + n + ".1\", \"fd00:200:" + n + "::1\"]");
    if (chance(60)) line("listen_port = " + number(51820 + i));
    if (chance(30)) line("mtu = 1380");
    line("[[tunnel.peer]]\npublic_key = \"" + std::string(kKeys[below(3)]) + "\"");
    line("allowed_ips = [\"0.0.0.0/0\", \"::/0\"]");
    if (chance(70)) line("endpoint = " + pick({"\"vps.example:342\"", "\"192.0.2.1:342\"", "\"[2001:db8::1]:342\""}));
    if (chance(30)) line("preshared_key_file = \"home.psk\"");
    if (chance(50)) line("persistent_keepalive = 25");
  }

  void write_bridge(unsigned i) {
    const std::string n = number(i);
    line("[[bridge]]\nname = " + (chance(50) ? "\"em" + n + "bridge\"" : "\"table" + n + "\""));
    bridge_names_.push_back(text_.substr(text_.rfind("= \"") + 3, text_.rfind('"') - text_.rfind("= \"") - 3));
    bridge_has_address_.push_back(chance(70));
    if (bridge_has_address_.back()) line("addresses = [\"10.100." + n + ".1/24\", \"fd00:100:" + n + "::1/64\"]");
    if (bridge_has_address_.back() && chance(60)) line("nat = " + pick({"\"none\"", "\"any\"", "\"internet\""}));
  }

  void write_commands(bool may_be_linux) {
    if (may_be_linux && chance(20)) line("linux = true");
    if (chance(50)) {
      line("start = [" + command() + ", " + command() + "]");
      if (chance(50)) line("user = \"player_" + number(below(9)) + "\"");
      if (chance(30)) line("background = true");
    } else if (chance(50)) {
      rc_ = "[jail.rc]\nsendmail_enable = \"NONE\"\nsyslogd_flags = '-ss (quiet) & \\n'\n";
      rc_.erase(rc_.find(" \\n"), 3);
    }
    if (chance(40)) line("stop = " + command());
    if (chance(20)) line("devfs = false");
  }

  void flush_rc() {
    text_ += rc_;
    rc_.clear();
  }

  void write_loopback_jail(unsigned i) {
    const std::string n = number(i);
    constexpr char kAlphabet[] = "abcXYZ019_-";
    const std::string name = word(kAlphabet, sizeof kAlphabet - 1, 20) + n;
    const bool v6 = chance(70);
    const bool v4 = !v6 || chance(80);
    line("[[jail]]\nname = \"" + name + "\"\npath = \"/jails/" + name + ".d\"");
    line("addresses = [" + std::string(v4 ? "\"127.0." + n + ".9\"" : "") + (v4 && v6 ? ", " : "") +
         (v6 ? "\"fd00:7:" + n + "::9\"" : "") + "]");
    if (chance(40)) line("interface = \"lo" + number(below(3)) + "\"");
    if (chance(60)) line("nat = " + pick({"\"none\"", "\"any\"", "\"internet\""}));
    if (chance(30)) line("hostname = \"" + pick({"web.home.arpa", "a-b.example"}) + "\"");
    write_commands(true);
    flush_rc();
    jails_.push_back({name, v4, v6});
  }

  void write_vnet_jail(unsigned i, unsigned bridges) {
    const std::string n = number(i + 10);
    constexpr char kAlphabet[] = "abcXYZ019_";
    const std::string name = word(kAlphabet, sizeof kAlphabet - 1, 7) + n;
    line("[[jail]]\nname = \"" + name + "\"\nkind = \"vnet\"\npath = \"/jails/" + name + "\"");
    const unsigned on = below(bridges);
    const bool can_jib = bridge_names_[on].ends_with("bridge") && chance(50);
    if (can_jib) line("jib = \"em" + number(on) + "\"");
    if (chance(40)) line("gateway = true");
    if (chance(50)) line("default_router = [\"10.100." + number(on) + ".1\", \"fd00:100:" + number(on) + "::1\"]");
    write_commands(false);
    line("[[jail.interface]]\nbridge = \"" + bridge_names_[on] + "\"");
    line("addresses = [\"10.100." + number(on) + "." + n + "/24\", \"fd00:100:" + number(on) + "::" + n + "/64\"]");
    const unsigned other = (on + 1) % bridges;
    if (!can_jib && other != on && chance(40)) line("[[jail.interface]]\nbridge = \"" + bridge_names_[other] + "\"");
    flush_rc();
    if (bridge_has_address_[on]) jails_.push_back({name, true, true});
  }

  void write_redirect(unsigned i, unsigned tunnels) {
    const Inside& jail = jails_[below(static_cast<unsigned>(jails_.size()))];
    line("[[redirect]]\nname = \"r-" + number(i) + "\"\njail = \"" + jail.name + "\"");
    line("protocol = " + pick({"\"udp\"", "\"tcp\"", "\"both\""}));
    if (chance(40)) {
      const unsigned size = below(5);
      line("ports = \"" + number(next_port_) + "-" + number(next_port_ + size) +
           "\"\ninside_port = " + number(1 + below(60000)));
      next_port_ += size + 1;
    } else {
      line("ports = " + fresh_ports());
    }
    if (jail.v4 && jail.v6 && chance(40)) line("family = " + pick({"\"inet\"", "\"inet6\"", "\"both\""}));
    const bool keep = tunnels != 0 && chance(40);
    if (keep) line("source = \"keep\"");
    if (tunnels == 0 || !chance(50))
      line(std::string("on = ") + (tunnels == 0 ? "\"egress\"" : "[\"egress\", \"tunnel\"]"));
    if (chance(50))
      line("from = " + pick({"\"internet\"", "\"private\"", "[\"10.0.0.0/8\", \"!10.1.0.0/16\", \"2001:db8::/32\"]"}));
  }

  std::mt19937 random_;
  std::string text_;
  std::string rc_;
  std::vector<std::string> bridge_names_;
  std::vector<bool> bridge_has_address_;
  std::vector<Inside> jails_;
  unsigned next_port_ = 1024;
};

}  // namespace

std::string random_config(uint32_t seed) { return Writer(seed).write(); }

}  // namespace adit::home
