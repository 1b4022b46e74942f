// [metrics]
#include "config/read.h"

namespace adit::config {
namespace {

bool is_loopback(const Ip& ip) {
  return Prefix::parse("127.0.0.0/8")->contains(ip) || Prefix::parse("::1/128")->contains(ip);
}

/// What is wrong with an address to listen on, if anything is.
std::optional<std::string> fault_of(std::string_view text, const std::optional<Endpoint>& listen) {
  if (!listen || listen->port == 0) {
    return in_quotes(text) + " is not an address and port like \"127.0.0.1:9586\" or \"[::1]:9586\"";
  }
  if (is_loopback(listen->ip)) return {};
  return in_quotes(text) + " is not a loopback address: there is no password and no encryption (listen on " +
         "\"127.0.0.1:" + std::to_string(listen->port) + "\", and reach it by ssh -L)";
}

}  // namespace

void read_metrics(TableReader reader, Config& config, Places& places) {
  const size_t before = reader.problems().count();
  for (const auto& [text, place] : reader.texts("listen")) {
    const auto listen = Endpoint::parse(text);
    if (const auto fault = fault_of(text, listen)) {
      reader.problems().add(place, *fault);
      continue;
    }
    config.metrics.listen.push_back(*listen);
    places.metrics_listen.push_back(place);
  }
  if (config.metrics.listen.empty() && reader.problems().count() == before) {
    reader.problems().add(reader.place(), reader.name() + " needs listen, such as \"127.0.0.1:9586\"");
  }
  reader.finish();
}

}  // namespace adit::config
