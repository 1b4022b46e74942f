#include "home/read.h"

#include "config/values.h"

namespace adit::home {
namespace {

void complain(TableReader& reader, std::string_view key, const config::Text& text, std::string_view what) {
  reader.problems().add(text.place,
                        std::string(key) + " must be " + std::string(what) + ", not " + config::in_quotes(text.value));
}

}  // namespace

std::string read_word(TableReader& reader, std::string_view key, bool (*is_right)(std::string_view),
                      std::string_view what) {
  const auto text = reader.text(key);
  if (!text) return {};
  if (is_right(text->value)) return std::string(text->value);
  complain(reader, key, *text, what);
  return {};
}

std::vector<std::string> read_words(TableReader& reader, std::string_view key, bool (*is_right)(std::string_view),
                                    std::string_view what) {
  std::vector<std::string> words;
  for (const config::Text& text : reader.texts(key)) {
    if (is_right(text.value)) words.emplace_back(text.value);
    if (!is_right(text.value)) complain(reader, key, text, what);
  }
  return words;
}

std::string read_required_word(TableReader& reader, std::string_view key, bool (*is_right)(std::string_view),
                               std::string_view what) {
  const size_t before = reader.problems().count();
  std::string word = read_word(reader, key, is_right, what);
  if (word.empty() && reader.problems().count() == before) {
    reader.problems().add(reader.place(), reader.name() + " needs " + std::string(key) + ": " + std::string(what));
  }
  return word;
}

PortList read_port_list(TableReader& reader, std::string_view key) {
  const Node* node = reader.find(key);
  if (node == nullptr) return {};
  PortList ports;
  std::optional<std::string> fault;
  if (node->kind == Node::Kind::kInteger) {
    fault = config::read_ports(std::to_string(node->integer), ports);
  } else if (node->kind == Node::Kind::kString) {
    fault = config::read_ports(node->string, ports);
  } else {
    fault = "ports are written like 80 or \"21,80,8000-8010\"";
  }
  if (!fault) {
    if (const auto twice = config::repeated_port(ports)) fault = "port " + std::to_string(*twice) + " is listed twice";
  }
  if (!fault) return ports;
  reader.problems().add(node->place, std::string(key) + ": " + *fault);
  return {};
}

std::vector<Placed<InterfaceAddress>> read_networks(TableReader& reader, std::string_view key) {
  std::vector<Placed<InterfaceAddress>> addresses;
  for (const auto& text : reader.texts(key)) {
    const auto address = config::parse_interface_address(text.value);
    if (address) addresses.push_back({*address, text.place});
    if (!address) complain(reader, key, text, "addresses like \"10.192.0.1/24\" or \"fd00:1::1/64\"");
  }
  return addresses;
}

std::vector<Placed<Ip>> read_ips(TableReader& reader, std::string_view key) {
  std::vector<Placed<Ip>> ips;
  for (const auto& text : reader.texts(key)) {
    const auto ip = Ip::parse(text.value);
    if (ip && !ip->is_unspecified() && !ip->is_multicast()) {
      ips.push_back({*ip, text.place});
    } else {
      complain(reader, key, text, "addresses like \"127.0.1.1\" or \"fd00:1::1\"");
    }
  }
  return ips;
}

size_t read_choice(TableReader& reader, std::string_view key, std::initializer_list<std::string_view> choices,
                   size_t otherwise) {
  const auto text = reader.text(key);
  if (!text) return otherwise;
  std::string names;
  size_t index = 0;
  for (const std::string_view choice : choices) {
    if (text->value == choice) return index;
    names += (index == 0 ? "" : " or ") + config::in_quotes(choice);
    ++index;
  }
  complain(reader, key, *text, names);
  return otherwise;
}

Nat read_nat(TableReader& reader, Nat otherwise) {
  return static_cast<Nat>(read_choice(reader, "nat", {"none", "internet", "any"}, static_cast<size_t>(otherwise)));
}

}  // namespace adit::home
