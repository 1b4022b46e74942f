// A super-packet of any kind is cut into packets or refused, and packets of any kind are put together so that cutting
// them again gives what they were.
#include <cstdlib>
#include <cstring>
#include <map>

#include "net/coalesce.h"
#include "net/segment.h"
#include "tests/support/ip_packets.h"

namespace {

using namespace adit;

constexpr size_t kLargest = 1500;

void require(bool condition) {
  if (!condition) std::abort();
}

/// Takes bytes off the input; zeros when it has ended.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : bytes_(data, size) {}
  [[nodiscard]] bool is_over() const { return bytes_.empty(); }
  uint8_t byte() { return take(1).empty() ? uint8_t{0} : taken_[0]; }
  ConstBytes take(size_t count) {
    taken_ = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(taken_.size());
    return taken_;
  }

 private:
  ConstBytes bytes_;
  ConstBytes taken_;
};

using Contents = std::vector<std::vector<uint8_t>>;

Contents contents_of(const PacketBatch& packets) {
  Contents contents;
  for (const Packet& packet : packets) contents.emplace_back(packet.bytes().begin(), packet.bytes().end());
  return contents;
}

/// What a receiver may not rely on: IPv4's identification where fragmenting is forbidden, and so the header's checksum.
void forget_identification(std::vector<uint8_t>& packet) {
  if (packet.size() < 20 || packet[0] != 0x45 || (packet[6] & 0x40) == 0) return;
  std::fill_n(packet.begin() + 4, 2, uint8_t{0});
  std::fill_n(packet.begin() + 10, 2, uint8_t{0});
}

void check_round_trip(PacketBatch& packets, PacketPool& pool) {
  Contents before = contents_of(packets);
  Coalescer coalescer;
  coalescer.form(packets, {true, true});
  Contents after;
  for (const Coalescer::Run& run : coalescer.runs()) {
    Coalescer::Pieces room;
    std::vector<uint8_t> written;
    for (const ConstBytes piece : coalescer.pieces(run, room)) {
      written.insert(written.end(), piece.begin(), piece.end());
    }
    if (run.packets == 1) {
      after.push_back(std::move(written));
      continue;
    }
    PacketBatch cut;
    require(segment(written, run.header, pool, cut) == Drop::kNone && cut.size() == run.packets);
    for (auto& each : contents_of(cut)) after.push_back(std::move(each));
  }
  for (Contents* each : {&before, &after}) {
    for (auto& packet : *each) forget_identification(packet);
    std::ranges::sort(*each);  // flows may overtake each other; their own order is the unit tests'
  }
  require(before == after);
}

/// Well-formed packets of a few flows, more or less continuing each other.
void add_generated(Input& input, PacketPool& pool, PacketBatch& packets) {
  std::map<int, uint32_t> next;
  while (!input.is_over() && packets.size() < 100) {
    const uint8_t what = input.byte();
    const test::Flow flow{(what & 1) != 0, (what & 2) != 0, static_cast<uint8_t>(what >> 2 & 3)};
    const size_t size = size_t{input.byte()} * 5;
    test::IpPacket packet(flow, size, what);
    if (flow.tcp) packet.sequence(next[what & 15]).flags((what & 0x10) != 0 ? input.byte() : 0x10);
    if ((what & 0x20) != 0) packet.identification(input.byte(), (what & 0x40) != 0);
    if ((what & 0x80) != 0) packet.bytes()[input.byte() % packet.bytes().size()] ^= 1;
    next[what & 15] += static_cast<uint32_t>(size);
    copy_bytes(packet.bytes(), packets.emplace_back(pool.take()).push_back(packet.bytes().size()).data());
  }
}

void add_raw(Input& input, PacketPool& pool, PacketBatch& packets) {
  while (!input.is_over() && packets.size() < 100) {
    const ConstBytes bytes = input.take(size_t{input.byte()} + 1);
    copy_bytes(bytes, packets.emplace_back(pool.take()).push_back(bytes.size()).data());
  }
}

void add_cut(Input& input, PacketPool& pool, PacketBatch& packets) {
  VnetHeader header;
  const ConstBytes bytes = input.take(sizeof header);
  std::memcpy(&header, bytes.data(), bytes.size());
  const Drop drop = segment(input.take(65535), header, pool, packets);
  if (drop == Drop::kBadOffload || drop == Drop::kTruncatedRead) require(packets.empty());
  for (const Packet& packet : packets) require(packet.size() <= pool.largest_packet());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  PacketPool pool(256, kLargest);
  PacketBatch packets;
  switch (input.byte() % 3) {
    case 0:
      add_generated(input, pool, packets);
      break;
    case 1:
      add_raw(input, pool, packets);
      break;
    default:
      add_cut(input, pool, packets);
      break;
  }
  check_round_trip(packets, pool);
  return 0;
}
