#include "daemon/demo/players.h"

#include <algorithm>

#include "daemon/lab/waiting.h"
#include "net/clock.h"

namespace adit::demo {
namespace {

constexpr size_t kPoolSlots = 512;
constexpr size_t kLargestPacket = 1500;

/// All sizes are different, and small and large ones take turns: the stride, a prime, does not divide the number of
/// datagrams.
size_t size_of(size_t sequence) {
  constexpr size_t kStride = 37;
  static_assert(kDatagramsEach % kStride != 0 && kDatagramsEach <= kLargestPayload);
  return sequence * kStride % kDatagramsEach * kLargestPayload / (kDatagramsEach - 1);
}

/// Bytes that no other player and no other datagram has (Knuth's 64-bit linear congruential generator).
std::vector<uint8_t> payload_of(uint32_t player, size_t sequence) {
  uint64_t state = uint64_t{player} << 32 | sequence;
  std::vector<uint8_t> payload(size_of(sequence));
  for (uint8_t& byte : payload) {
    state = state * 6364136223846793005 + 1442695040888963407;
    byte = static_cast<uint8_t>(state >> 56);
  }
  return payload;
}

}  // namespace

// A player.

Player::Player(std::string name, uint32_t id, const Ip& own, const Endpoint& server)
    : name_(std::move(name)), id_(id), server_(server), socket_(UdpSocket::bind({own, 0})) {}

void Player::send(PacketPool& pool) {
  const Shot& shot = shots_.emplace_back(Shot{payload_of(id_, shots_.size()), read_clock().mono, false});
  Packet packet = pool.take();
  std::ranges::copy(shot.payload, packet.push_back(shot.payload.size()).begin());
  batch_.push_back({std::move(packet), server_, {}});
  socket_.write(batch_, drops_);
  batch_.clear();
}

void Player::receive(PacketPool& pool) {
  socket_.read(pool, kBatchSize, batch_, drops_);
  const Time now = read_clock().mono;
  for (const Datagram& answer : batch_) take(answer, now);
  batch_.clear();
}

void Player::take(const Datagram& answer, Time now) {
  const auto is_answered = [&](const Shot& shot) {
    return !shot.is_back && answer.remote == server_ && std::ranges::equal(shot.payload, answer.packet.bytes());
  };
  const auto shot = std::ranges::find_if(shots_, is_answered);
  if (shot == shots_.end()) {
    ++strays_;
    return;
  }
  shot->is_back = true;
  round_trips_.push_back(now - shot->sent);
}

// The game.

Game::Game(lab::EchoServer server, std::vector<Player> players)
    : pool_(kPoolSlots, kLargestPacket), server_(std::move(server)), players_(std::move(players)) {
  fds_.push_back(server_.fd());
  for (const Player& player : players_) fds_.push_back(player.fd());
}

void Game::play(size_t count, Duration interval) {
  Time next = read_clock().mono;
  for (size_t i = 0; i < count; ++i) {
    for (Player& player : players_) player.send(pool_);
    next += interval;
    do {
      attend(next);
    } while (read_clock().mono < next);
  }
}

void Game::wait_for_answers(Duration patience) {
  const Time deadline = read_clock().mono + patience;
  const auto has_all = [](const Player& player) { return player.back() == player.sent(); };
  while (!std::ranges::all_of(players_, has_all) && read_clock().mono < deadline) attend(deadline);
}

/// Whoever has something to read reads it; returns after that or at the deadline.
void Game::attend(Time deadline) {
  lab::wait_readable(fds_, deadline);
  server_.answer(pool_);
  for (Player& player : players_) player.receive(pool_);
}

}  // namespace adit::demo
