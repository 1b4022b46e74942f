#include "daemon/saved_state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "net/fd.h"

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kVersion = 1;
/// Of the largest flow table there can be.
constexpr off_t kLargestFile = 256 << 20;

template <typename Value>
Value required(std::optional<Value> value) {
  if (!value) throw std::invalid_argument("not an address");
  return *value;
}

uint64_t number_in(const Json& json, uint64_t largest) {
  const uint64_t number = json.is_number_unsigned() ? json.get<uint64_t>() : largest + 1;
  if (number > largest) throw std::invalid_argument("not such a number");
  return number;
}

Endpoint endpoint_in(const Json& json) { return required(Endpoint::parse(json.get_ref<const std::string&>())); }

bool is_portable(const forward::SavedFlow& flow) {
  return flow.client.scope == 0 && flow.ours.scope == 0 && flow.listen.scope == 0 && flow.remote.scope == 0;
}

Json to_json(const forward::SavedFlow& flow) {
  return {flow.listen.to_string(),
          flow.client.to_string(),
          flow.local.to_string(),
          flow.ours.to_string(),
          flow.remote.to_string(),
          static_cast<int>(flow.state),
          std::chrono::duration_cast<milliseconds>(flow.idle).count()};
}

forward::SavedFlow flow_in(const Json& json) {
  if (json.size() != 7) throw std::invalid_argument("not a flow");
  return {.listen = endpoint_in(json.at(0)),
          .client = endpoint_in(json.at(1)),
          .local = required(Ip::parse(json.at(2).get_ref<const std::string&>())),
          .ours = endpoint_in(json.at(3)),
          .remote = endpoint_in(json.at(4)),
          .state = forward::kFlowStates[number_in(json.at(5), forward::kFlowStates.size() - 1)],
          .idle = milliseconds(number_in(json.at(6), UINT32_MAX))};
}

PeerPlace peer_in(const Json& json) {
  if (json.size() != 2) throw std::invalid_argument("not a peer");
  return {required(crypto::PublicKey::from_base64(json.at(0).get_ref<const std::string&>())), endpoint_in(json.at(1))};
}

SavedState state_in(const Json& json) {
  if (json.at("version") != kVersion) throw std::invalid_argument("another version");
  SavedState state;
  state.when = WallTime(seconds(number_in(json.at("when"), UINT32_MAX)));
  for (const Json& peer : json.at("peers")) state.peers.push_back(peer_in(peer));
  for (const Json& flow : json.at("flows")) state.flows.push_back(flow_in(flow));
  return state;
}

}  // namespace

std::string to_text(const SavedState& state) {
  Json peers = Json::array();
  for (const PeerPlace& each : state.peers) {
    if (each.endpoint.scope == 0) peers.push_back({each.peer.to_base64(), each.endpoint.to_string()});
  }
  Json flows = Json::array();
  for (const forward::SavedFlow& each : state.flows) {
    if (is_portable(each)) flows.push_back(to_json(each));
  }
  const auto when = std::chrono::duration_cast<seconds>(state.when.time_since_epoch()).count();
  return Json{{"version", kVersion}, {"when", when}, {"peers", std::move(peers)}, {"flows", std::move(flows)}}.dump();
}

std::optional<SavedState> parse_state(std::string_view text) {
  try {
    return state_in(Json::parse(text));
  } catch (const std::exception&) {  // the library's own, for what is no JSON or of another shape; ours for the rest
    return {};
  }
}

void write_state(const fs::path& file, const SavedState& state) {
  const std::string what = "write " + file.string();
  const fs::path unfinished = file.string() + ".new";
  fs::remove(unfinished);
  {
    const Fd fd(check_call(what, ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
    const std::string text = to_text(state);
    size_t written = 0;
    while (written < text.size()) {
      written += static_cast<size_t>(check_call(what, ::write(fd.get(), text.data() + written, text.size() - written)));
    }
  }
  fs::rename(unfinished, file);
}

std::optional<SavedState> read_state(const fs::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return {};
  struct stat found {};
  check_call("look at " + file.string(), ::fstat(fd.get(), &found));
  const auto refuse = [&](const char* why) { throw std::runtime_error(file.string() + ": " + why); };
  if (found.st_uid != ::geteuid() || (found.st_mode & 077) != 0 || !S_ISREG(found.st_mode)) refuse("not ours alone");
  if (found.st_size > kLargestFile) refuse("too large");
  std::string text(static_cast<size_t>(found.st_size), '\0');
  const ssize_t size = check_call("read " + file.string(), ::read(fd.get(), text.data(), text.size()));
  std::optional<SavedState> state = parse_state(std::string_view(text).substr(0, static_cast<size_t>(size)));
  if (!state) refuse("not what adit writes");
  return state;
}

}  // namespace adit::daemon
