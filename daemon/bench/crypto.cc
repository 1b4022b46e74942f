// Encryption without a tunnel: packets in memory, one processor.

#include <algorithm>
#include <stdexcept>

#include "crypto/aead_impl.h"
#include "crypto/random.h"
#include "daemon/bench/bench.h"
#include "daemon/bench/handshakes.h"
#include "net/clock.h"

namespace adit::bench {
namespace {

using crypto::AeadImpl;

constexpr int kRounds = 7;
constexpr size_t kLengths[] = {64, 512, 1420};
constexpr size_t kBatches[] = {16, 1};
/// Packets that are sealed, then opened, between two looks at the clock: many enough that these do not count, and few
/// enough for the processor's second cache.
constexpr size_t kBytesAtOnce = 65536;

class Packets {
 public:
  explicit Packets(size_t length)
      : count_(std::max(kBytesAtOnce / length / kBatches[0], size_t{1}) * kBatches[0]),
        bytes_(count_ * (length + crypto::kTagSize)) {
    crypto::random_bytes(key_.bytes());
    for (size_t i = 0; i < count_; ++i) {
      const auto text_and_tag = std::span(bytes_).subspan(i * (length + crypto::kTagSize), length + crypto::kTagSize);
      seals_.push_back({&key_, i, text_and_tag});
      opens_.push_back({&key_, i, text_and_tag, false});
    }
  }

  [[nodiscard]] size_t count() const noexcept { return count_; }

  /// `batch` packets with each call.
  void seal(const AeadImpl& implementation, size_t batch) const noexcept {
    for (size_t i = 0; i < count_; i += batch) implementation.seal_batch(std::span(seals_).subspan(i, batch));
  }
  void open(const AeadImpl& implementation, size_t batch) noexcept {
    for (size_t i = 0; i < count_; i += batch) implementation.open_batch(std::span(opens_).subspan(i, batch));
  }

  /// Throws unless every packet has been opened: figures of what does not work are worth nothing.
  void require_opened(const AeadImpl& implementation) const {
    if (std::ranges::all_of(opens_, &crypto::OpenJob::ok)) return;
    throw std::runtime_error("bench crypto: " + std::string(implementation.name) + " does not open what it has sealed");
  }

 private:
  size_t count_;
  crypto::SymmetricKey key_;
  std::vector<uint8_t> bytes_;
  std::vector<crypto::SealJob> seals_;
  std::vector<crypto::OpenJob> opens_;
};

struct Rates {  // Gbit/s
  double seal;
  double open;
};

Rates measure(const AeadImpl& implementation, size_t length, size_t batch, Duration time) {
  Packets packets(length);
  Duration sealing{}, opening{};
  uint64_t turns = 0;
  packets.seal(implementation, batch);  // what a first time costs is not the question
  packets.open(implementation, batch);
  for (; sealing + opening < time || turns == 0; ++turns) {
    const Time start = read_clock().mono;
    packets.seal(implementation, batch);
    const Time sealed = read_clock().mono;
    packets.open(implementation, batch);
    opening += read_clock().mono - sealed;
    sealing += sealed - start;
    packets.require_opened(implementation);
  }
  const double bits = static_cast<double>(turns * packets.count() * length) * 8;
  return {bits / to_seconds(sealing) / 1e9, bits / to_seconds(opening) / 1e9};
}

Figure figure_of(const std::string& what, size_t length, size_t batch) {
  return {what + "_" + std::to_string(length) + "_by_" + std::to_string(batch),
          what + " " + std::to_string(length) + " B, " + (batch == 1 ? "alone" : std::to_string(batch) + " at once"),
          "Gbit/s", true};
}

void measure_round(Results& results, Duration slice) {
  for (const size_t length : kLengths) {
    for (const size_t batch : kBatches) {
      for (const AeadImpl* each : crypto::available_implementations()) {
        const Rates rates = measure(*each, length, batch, slice);
        results.add(figure_of("seal", length, batch), std::string(each->name), rates.seal);
        results.add(figure_of("open", length, batch), std::string(each->name), rates.open);
      }
    }
  }
}

/// libsodium comes last: with it the others are compared.
std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const AeadImpl* each : crypto::available_implementations()) all.emplace_back(each->name);
  return all;
}

}  // namespace

Outcome bench_crypto(seconds time) {
  Results results(names());
  std::vector<double> handshakes;
  const size_t slices = std::size(kLengths) * std::size(kBatches) * names().size() + 1;
  const Duration slice = Duration(time) / (kRounds * slices);
  for (int round = 0; round < kRounds; ++round) {
    measure_round(results, slice);
    handshakes.push_back(handshakes_per_second(slice));
  }
  const std::string in_use(crypto::aead_name());
  std::string text = results.table(false) + "\nhandshakes  " + spread_text(handshakes) +
                     " per second, the work of both sides\n" + "in use      " + in_use +
                     (in_use == names().front() ? "" : " (as ADIT_AEAD says)") +
                     "; sodium is libsodium, and ratios are to it\n";
  return {{{"rounds", kRounds},
           {"in_use", in_use},
           {"figures", results.json()},
           {"handshakes_per_second", spread_json(handshakes)}},
          std::move(text)};
}

}  // namespace adit::bench
