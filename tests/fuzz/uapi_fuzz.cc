// Any bytes on the control socket: however they are cut into pieces they have the same answers and effects, every
// answer ends as it must, and what "get" then says "set" understands.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/support/paper_device.h"

namespace {

using adit::test::PaperDevice;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string say(PaperDevice& device, std::string_view bytes, size_t piece) {
  adit::daemon::UapiConversation conversation(device);
  std::string answers;
  while (!bytes.empty() && !conversation.is_over()) {
    const size_t taken = conversation.take(bytes.substr(0, piece));
    require(taken > 0);
    bytes.remove_prefix(taken);
    const std::string answer = conversation.take_answer();
    require(answer.empty() || answer.ends_with("\n\n"));
    answers += answer;
  }
  conversation.take_end();
  require(conversation.is_over());
  return answers + conversation.take_answer();
}

PaperDevice fresh() {
  PaperDevice device;
  device.own_key.bytes.fill(0x11);
  device.busy_port = 4000;
  return device;
}

std::string without_counters(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n') + 1);
    const bool is_only_told = line.starts_with("last_") || line.starts_with("tx_") || line.starts_with("rx_");
    if (!is_only_told) lines += line;
    text.remove_prefix(line.size());
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = std::max<size_t>(data[0], 1);
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  PaperDevice whole = fresh();
  PaperDevice pieces = fresh();
  require(say(whole, text, text.npos) == say(pieces, text, piece));
  const std::string state = adit::daemon::device_text(whole.device());
  require(state == adit::daemon::device_text(pieces.device()));

  PaperDevice copy = fresh();
  require(say(copy, "set=1\n" + without_counters(state) + "\n", text.npos) == "errno=0\n\n");
  require(adit::daemon::device_text(copy.device()) == state);
  return 0;
}
