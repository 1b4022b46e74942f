#include "daemon/bench/handshakes.h"

#include <stdexcept>

#include "daemon/bench/figures.h"
#include "net/clock.h"
#include "tunnel/noise.h"

namespace adit::bench {
namespace {

/// Two sides that know each other's keys.
class Pair {
 public:
  Pair() : caller_(answering_.public_key), answerer_(calling_.public_key) {}

  /// False when it has failed.  The sides' time goes on by a second.
  [[nodiscard]] bool shake_hands() {
    now_.mono += seconds(1);
    now_.wall += seconds(1);
    tunnel::InitiationMessage initiation{};
    tunnel::ResponseMessage response{};
    if (!caller_.create_initiation(calling_, 1, timestamps_.next(now_.wall), initiation)) return false;
    const auto opened = tunnel::open_initiation(answering_, initiation);
    if (!opened) return false;
    if (answerer_.consume_initiation(answering_, *opened, initiation, now_.mono) != Drop::kNone) return false;
    if (!answerer_.create_response(2, response)) return false;
    if (!caller_.consume_response(calling_, response)) return false;
    return answerer_.begin_session(now_.mono) && caller_.begin_session(now_.mono);
  }

 private:
  tunnel::Identity calling_ = tunnel::Identity(crypto::generate_private_key());
  tunnel::Identity answering_ = tunnel::Identity(crypto::generate_private_key());
  tunnel::Handshake caller_, answerer_;
  tunnel::TimestampSource timestamps_;
  Now now_ = read_clock();
};

}  // namespace

double handshakes_per_second(Duration time) {
  Pair pair;
  const Time start = read_clock().mono;
  Duration taken{};
  uint64_t count = 0;
  for (; taken < time || count == 0; ++count) {
    if (!pair.shake_hands()) throw std::runtime_error("bench crypto: a handshake has failed");
    taken = read_clock().mono - start;
  }
  return static_cast<double>(count) / to_seconds(taken);
}

}  // namespace adit::bench
