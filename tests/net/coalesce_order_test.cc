// What is never joined although it looks as if it could be, and packets that must not overtake each other.

#include <gtest/gtest.h>

#include "net/coalesce.h"
#include "tests/support/ip_packets.h"

namespace adit {
namespace {

using test::Flow;
using test::IpPacket;
using Lengths = std::vector<size_t>;
using ByteVector = std::vector<uint8_t>;

const Flow kFlows[] = {{true, true}, {false, true}, {true, false}, {false, false}};

/// The packet of this number in a flow of packets with 100 bytes of payload.
IpPacket nth(const Flow& flow, uint32_t number) {
  IpPacket packet(flow, 100);
  return flow.tcp ? packet.sequence(number * 100) : packet;
}

class CoalesceOrder : public testing::Test {
 protected:
  Lengths runs_of(const std::vector<ByteVector>& packets, Coalescer::Allowed allowed = {true, true}) {
    packets_.clear();
    for (const ByteVector& bytes : packets) {
      copy_bytes(bytes, packets_.emplace_back(pool_.take()).push_back(bytes.size()).data());
    }
    coalescer_.form(packets_, allowed);
    Lengths lengths;
    for (const Coalescer::Run& run : coalescer_.runs()) lengths.push_back(run.packets);
    return lengths;
  }
  bool is_as_it_came(size_t packet, const ByteVector& bytes) {
    return std::ranges::equal(std::as_const(packets_[packet]).bytes(), bytes);
  }

  PacketPool pool_{128, 30'000};
  PacketBatch packets_;
  Coalescer coalescer_;
};

TEST_F(CoalesceOrder, OneBitThatIsWrongAnywhereKeepsBothAsTheyCame) {
  for (const Flow& flow : kFlows) {
    const ByteVector a = nth(flow, 0).bytes(), b = nth(flow, 1).bytes();
    ASSERT_EQ(runs_of({a, b}), Lengths{2});
    for (size_t at = flow.v4 ? 0 : 8; at < a.size(); ++at) {  // all that a checksum covers
      for (const bool first : {true, false}) {
        ByteVector damaged = first ? a : b;
        damaged[at] ^= 4;
        const ByteVector& left = first ? damaged : a;
        const ByteVector& right = first ? b : damaged;
        ASSERT_EQ(runs_of({left, right}), (Lengths{1, 1})) << at;
        ASSERT_TRUE(is_as_it_came(0, left) && is_as_it_came(1, right)) << at;
      }
    }
  }
}

TEST_F(CoalesceOrder, NothingIsJoinedAcrossADamagedPacket) {
  for (const Flow& flow : kFlows) {
    IpPacket damaged = nth(flow, 1);
    damaged.bytes().back() ^= 1;
    EXPECT_EQ(runs_of({nth(flow, 0).bytes(), damaged.bytes(), nth(flow, 2).bytes(), nth(flow, 3).bytes()}),
              (Lengths{1, 1, 2}));
  }
}

/// The checksums are right for the whole packet; only the IP length says that its last byte does not belong to it.
TEST_F(CoalesceOrder, APacketThatIsLongerThanItSaysIsAlone) {
  for (const Flow& flow : kFlows) {
    IpPacket longer = nth(flow, 1);
    uint8_t* const length = longer.ip() + (flow.v4 ? 2 : 4);
    store_be16(length, static_cast<uint16_t>(load_be16(length) - 1));
    if (flow.v4) store_be16(longer.ip() + 10, static_cast<uint16_t>(load_be16(longer.ip() + 10) + 1));
    EXPECT_EQ(runs_of({nth(flow, 0).bytes(), longer.bytes()}), (Lengths{1, 1}));
    EXPECT_EQ(runs_of({longer.bytes(), nth(flow, 2).bytes()}), (Lengths{1, 1}));
  }
}

/// Right as a sum, the zero still says that there is no checksum to go by.
TEST_F(CoalesceOrder, UdpWithoutAChecksumIsAloneEvenWhereZeroWouldBeRight) {
  const Flow flow{true, false};
  IpPacket packet = nth(flow, 0);
  store_be16(packet.payload(), 0);
  store_be16(packet.payload(), load_be16(packet.sign().checksum()));
  packet.sign();
  ASSERT_EQ(load_be16(packet.checksum()), 0xffff);
  EXPECT_EQ(runs_of({nth(flow, 0).bytes(), packet.bytes()}), Lengths{2});
  store_be16(packet.checksum(), 0);
  EXPECT_EQ(runs_of({nth(flow, 0).bytes(), packet.bytes()}), (Lengths{1, 1}));
  EXPECT_EQ(runs_of({packet.bytes(), nth(flow, 0).bytes()}), (Lengths{1, 1}));
}

/// Both look like plain TCP to whoever does not see that the IP header is longer than 20 bytes.
TEST_F(CoalesceOrder, Ipv4OptionsAreAloneWhateverTheyHide) {
  std::vector<ByteVector> packets;
  for (uint32_t i = 0; i < 2; ++i) {
    IpPacket packet = nth({}, i);
    packet.ip()[0] = 0x46;
    store_be16(packet.ip() + 10, 0);
    store_be16(packet.ip() + 10, checksum_finish(checksum_add(0, ConstBytes(packet.bytes()).first(24))));
    packets.push_back(packet.bytes());
  }
  EXPECT_EQ(runs_of(packets), (Lengths{1, 1}));
}

TEST_F(CoalesceOrder, ARunHas65535BytesAtMost) {
  for (const Flow& flow : kFlows) {
    const size_t room = 65535 - nth(flow, 0).headers();
    const size_t size = room / 3 + 1;
    std::vector<ByteVector> packets;
    for (const size_t payload : {size, size, room - 2 * size}) {
      IpPacket packet(flow, payload);
      if (flow.tcp) packet.sequence(static_cast<uint32_t>(packets.size() * size));
      packets.push_back(packet.bytes());
    }
    EXPECT_EQ(runs_of(packets), Lengths{3});
    IpPacket larger(flow, room - 2 * size + 1);
    packets[2] = (flow.tcp ? larger.sequence(static_cast<uint32_t>(2 * size)) : larger).bytes();
    EXPECT_EQ(runs_of(packets), (Lengths{2, 1}));
  }
}

TEST_F(CoalesceOrder, APacketThatDoesNotContinueIsNotOvertaken) {
  const Flow tcp;
  EXPECT_EQ(runs_of({nth(tcp, 0).bytes(), nth(tcp, 2).bytes(), nth(tcp, 1).bytes()}), (Lengths{1, 1, 1}))
      << "the last fits behind the first, but the second stands there";
  EXPECT_EQ(runs_of({nth(tcp, 1).bytes(), nth(tcp, 0).bytes(), nth(tcp, 2).bytes()}), (Lengths{1, 1, 1}));
  const Flow udp{true, false};
  IpPacket unsummed = nth(udp, 1);
  store_be16(unsummed.checksum(), 0);
  EXPECT_EQ(runs_of({nth(udp, 0).bytes(), unsummed.bytes(), nth(udp, 2).bytes()}), (Lengths{1, 1, 1}));
}

/// Whose a fragment is, or what stands behind extension headers or is malformed, nobody can tell.
TEST_F(CoalesceOrder, NothingOvertakesAPacketOfAnUnknownFlow) {
  for (const Flow& flow : kFlows) {
    IpPacket fragment = nth({flow.v4, false}, 9);
    if (flow.v4) store_be16(fragment.ip() + 6, 0x2000);
    if (!flow.v4) fragment.ip()[6] = 44;
    IpPacket shorn = nth(flow, 1);
    shorn.bytes().resize(shorn.ip_header() + 4);
    for (IpPacket* unknown : {&fragment, &shorn}) {
      EXPECT_EQ(runs_of({nth(flow, 0).bytes(), unknown->bytes(), nth(flow, 1).bytes(), nth(flow, 2).bytes()}),
                (Lengths{1, 1, 2}));
    }
  }
}

TEST_F(CoalesceOrder, OtherProtocolsMayStandBetween) {
  for (const Flow& flow : kFlows) {
    IpPacket ping = nth({flow.v4, false}, 0);
    ping.ip()[flow.v4 ? 9 : 6] = flow.v4 ? 1 : 58;
    EXPECT_EQ(runs_of({nth(flow, 0).bytes(), ping.bytes(), nth(flow, 1).bytes()}), (Lengths{2, 1}));
    EXPECT_EQ(runs_of({nth(flow, 0).bytes(), ByteVector(30, 7), nth(flow, 1).bytes()}), (Lengths{2, 1}));
    const IpPacket other = nth({flow.v4, !flow.tcp}, 0);
    EXPECT_EQ(runs_of({nth(flow, 0).bytes(), other.bytes(), nth(flow, 1).bytes()}, {flow.tcp, !flow.tcp}),
              (Lengths{2, 1}))
        << "of a kind that is never joined";
  }
}

TEST_F(CoalesceOrder, TcpAndUdpOfEqualPortsAreTwoFlows) {
  const Flow tcp, udp{true, false};
  EXPECT_EQ(runs_of({nth(tcp, 0).bytes(), nth(udp, 0).bytes(), nth(tcp, 1).bytes(), nth(udp, 1).bytes()}),
            (Lengths{2, 2}));
}

}  // namespace
}  // namespace adit
