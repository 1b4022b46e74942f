#include "daemon/saved_state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

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

StateFile::StateFile(fs::path file)
    : file_(std::move(file)),
      fd_(check_call(
          "open " + file_.string(),
          ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, S_IRUSR | S_IWUSR))) {
  struct stat found {};
  check_call("look at " + file_.string(), ::fstat(fd_.get(), &found));
  if (found.st_uid != ::geteuid() || (found.st_mode & 077) != 0 || !S_ISREG(found.st_mode))
    throw std::runtime_error(file_.string() + ": not ours alone");
}

StateFile::~StateFile() {
  struct stat found {};
  std::error_code ignored;
  if (::fstat(fd_.get(), &found) == 0 && found.st_size == 0) fs::remove(file_, ignored);
}

off_t StateFile::size() const {
  struct stat found {};
  check_call("look at " + file_.string(), ::fstat(fd_.get(), &found));
  return found.st_size;
}

std::optional<SavedState> StateFile::read() const {
  const auto refuse = [&](const char* why) { throw std::runtime_error(file_.string() + ": " + why); };
  const off_t all = size();
  if (all == 0) return {};
  if (all > kLargestFile) refuse("too large");
  std::string text(static_cast<size_t>(all), '\0');
  const ssize_t count = check_call("read " + file_.string(), ::pread(fd_.get(), text.data(), text.size(), 0));
  std::optional<SavedState> state = parse_state(std::string_view(text).substr(0, static_cast<size_t>(count)));
  if (!state) refuse("not what adit writes");
  return state;
}

void StateFile::clear() {
  check_call("empty " + file_.string(), ::ftruncate(fd_.get(), 0));
  check_call("empty " + file_.string(), ::lseek(fd_.get(), 0, SEEK_SET));
}

void StateFile::write(const SavedState& state) {
  clear();
  const std::string text = to_text(state);
  for (size_t written = 0; written < text.size();) {
    written += static_cast<size_t>(
        check_call("write " + file_.string(), ::write(fd_.get(), text.data() + written, text.size() - written)));
  }
}

}  // namespace adit::daemon
