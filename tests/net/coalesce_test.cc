#include "net/coalesce.h"

#include <gtest/gtest.h>

#include <random>

#include "net/segment.h"
#include "tests/support/ip_packets.h"

namespace adit {
namespace {

using test::Flow;
using test::IpPacket;

class Coalesce : public testing::Test {
 protected:
  void add(const IpPacket& packet) {
    Packet& added = packets_.emplace_back(pool_.take());
    std::ranges::copy(packet.bytes(), added.push_back(packet.bytes().size()).begin());
  }
  /// Consecutive data packets of a flow, from sequence number `at`.
  void add_data(const Flow& flow, const std::vector<size_t>& sizes, uint32_t at = 0) {
    for (const size_t size : sizes) {
      IpPacket packet(flow, size);
      add(flow.tcp ? packet.sequence(at) : packet);
      at += static_cast<uint32_t>(size);
    }
  }

  struct Written {
    VnetHeader header;
    std::vector<uint8_t> bytes;
  };
  std::vector<Written> written(Coalescer::Allowed allowed = {true, true}) {
    coalescer_.form(packets_, allowed);
    std::vector<Written> all;
    for (const Coalescer::Run& run : coalescer_.runs()) {
      Coalescer::Pieces room;
      Written& each = all.emplace_back(Written{run.header, {}});
      for (const ConstBytes piece : coalescer_.pieces(run, room)) {
        each.bytes.insert(each.bytes.end(), piece.begin(), piece.end());
      }
    }
    return all;
  }
  std::vector<size_t> run_lengths(Coalescer::Allowed allowed = {true, true}) {
    coalescer_.form(packets_, allowed);
    std::vector<size_t> lengths;
    for (const Coalescer::Run& run : coalescer_.runs()) lengths.push_back(run.packets);
    packets_.clear();
    return lengths;
  }
  /// Two packets, the second changed and its checksums made right again.
  template <typename Change>
  std::vector<size_t> lengths_of_two(const Flow& flow, Change change) {
    IpPacket first(flow, 100), second(flow, 100);
    if (flow.tcp) second.sequence(100);
    change(second);
    add(first);
    add(second);
    return run_lengths();
  }

  PacketPool pool_{1024, 1500};
  PacketBatch packets_;
  Coalescer coalescer_;
};

using Lengths = std::vector<size_t>;
const Flow kFlows[] = {{true, true}, {false, true}, {true, false}, {false, false}};

TEST_F(Coalesce, WhatWasCutComesTogetherAgain) {
  for (const Flow& flow : kFlows) {
    IpPacket super(flow, 20'500);
    if (flow.tcp) super.sequence(0xfffff000).flags(0x18);
    super.leave_checksum();
    const auto kind = !flow.tcp ? VnetHeader::Gso::kUdp : flow.v4 ? VnetHeader::Gso::kTcp4 : VnetHeader::Gso::kTcp6;
    const VnetHeader header{VnetHeader::kNeedsChecksum,
                            static_cast<uint8_t>(kind),
                            static_cast<uint16_t>(super.headers()),
                            1000,
                            static_cast<uint16_t>(super.ip_header()),
                            static_cast<uint16_t>(flow.tcp ? 16 : 6)};
    packets_.clear();
    ASSERT_EQ(segment(super.bytes(), header, pool_, packets_), Drop::kNone);
    ASSERT_EQ(packets_.size(), 21u);
    const auto all = written();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].header, header);
    // The super-packet's IPv4 header checksum is whole; the kernel leaves its own.
    if (flow.v4) {
      EXPECT_EQ(checksum_finish(checksum_add(0, ConstBytes(all[0].bytes).first(20))), 0);
      std::copy_n(all[0].bytes.begin() + 10, 2, super.ip() + 10);
    }
    EXPECT_EQ(all[0].bytes, super.bytes());
  }
}

TEST_F(Coalesce, OneAloneIsUntouched) {
  IpPacket packet({}, 500);
  add(packet);
  const auto all = written();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].header, VnetHeader{});
  EXPECT_EQ(all[0].bytes, packet.bytes());
}

TEST_F(Coalesce, AShorterOneEndsARun) {
  for (const Flow& flow : kFlows) {
    add_data(flow, {500, 500, 300, 500, 500});
    EXPECT_EQ(run_lengths(), (Lengths{3, 2}));
    add_data(flow, {300, 500, 500});
    EXPECT_EQ(run_lengths(), (Lengths{1, 2}));
  }
}

TEST_F(Coalesce, ARunHasItsLimits) {
  add_data({}, std::vector<size_t>(70, 10));
  EXPECT_EQ(run_lengths(), (Lengths{64, 6}));
  add_data({}, std::vector<size_t>(50, 1400));
  EXPECT_EQ(run_lengths(), (Lengths{46, 4})) << "an IP packet has 65,535 bytes at most";
}

TEST_F(Coalesce, OnlyTheKindsThatAreAllowed) {
  for (const bool tcp : {true, false}) {
    add_data({true, tcp}, {100, 100});
    EXPECT_EQ(run_lengths({tcp, !tcp}), (Lengths{2}));
    add_data({true, tcp}, {100, 100});
    EXPECT_EQ(run_lengths({!tcp, tcp}), (Lengths{1, 1}));
  }
}

TEST_F(Coalesce, FlowsThatTakeTurnsEachHaveTheirRun) {
  for (uint32_t i = 0; i < 5; ++i) {
    for (uint8_t host = 1; host <= 8; ++host) add_data({true, true, host}, {100}, i * 100);
  }
  EXPECT_EQ(run_lengths(), Lengths(8, 5));
}

TEST_F(Coalesce, MoreFlowsThanItRemembersLoseNothing) {
  for (uint32_t i = 0; i < 3; ++i) {
    for (uint8_t host = 1; host <= 20; ++host) add_data({true, true, host}, {100}, i * 100);
  }
  size_t total = 0;
  for (const size_t length : run_lengths()) total += length;
  EXPECT_EQ(total, 60u);
}

TEST_F(Coalesce, TcpThatDoesNotContinueIsARunOfItsOwn) {
  const auto lengths = [&](auto change) { return lengths_of_two({}, change); };
  const Lengths joined{2}, apart{1, 1};
  EXPECT_EQ(lengths([](IpPacket&) {}), joined);
  EXPECT_EQ(lengths([](IpPacket& p) { p.sequence(101); }), apart) << "a gap";
  EXPECT_EQ(lengths([](IpPacket& p) { p.sequence(0); }), apart) << "a repetition";
  for (const size_t at : {8u, 11u, 14u, 15u, 18u, 19u, 20u, 31u}) {  // acknowledgment, window, urgent, options
    EXPECT_EQ(lengths([&](IpPacket& p) { p.upper()[at] ^= 1, p.sign(); }), apart) << at;
  }
  for (const int flag : {0x01, 0x02, 0x04, 0x20, 0x40, 0x80}) {  // all but PSH and ACK
    EXPECT_EQ(lengths([&](IpPacket& p) { p.flags(static_cast<uint8_t>(0x10 | flag)); }), apart) << flag;
  }
  EXPECT_EQ(lengths([](IpPacket& p) { p.flags(0); }), apart) << "nothing is acknowledged";
}

TEST_F(Coalesce, APushIsTakenOverAndEndsTheRun) {
  for (uint32_t i = 0; i < 4; ++i) {
    IpPacket packet({}, 100);
    add(packet.sequence(i * 100).flags(i == 1 ? 0x18 : 0x10));
  }
  const auto all = written();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].bytes[20 + 13], 0x18);
  EXPECT_EQ(all[1].bytes[20 + 13], 0x10);
}

TEST_F(Coalesce, WhatTheIpHeaderSaysMustBeTheSame) {
  for (const Flow& flow : kFlows) {
    const std::vector<size_t> places = flow.v4 ? std::vector<size_t>{1, 8} : std::vector<size_t>{1, 2, 3, 7};
    for (const size_t at : places) {  // traffic class, flow label, hop limit
      EXPECT_EQ(lengths_of_two(flow, [&](IpPacket& p) { p.ip()[at] ^= 1, p.sign(); }), (Lengths{1, 1})) << at;
    }
    const std::vector<size_t> addresses = flow.v4 ? std::vector<size_t>{15, 19} : std::vector<size_t>{23, 39};
    for (const size_t at : addresses) {
      EXPECT_EQ(lengths_of_two(flow, [&](IpPacket& p) { p.ip()[at] ^= 1, p.sign(); }), (Lengths{1, 1})) << at;
    }
    for (const size_t at : {1u, 3u}) {  // ports
      EXPECT_EQ(lengths_of_two(flow, [&](IpPacket& p) { p.upper()[at] ^= 1, p.sign(); }), (Lengths{1, 1})) << at;
    }
  }
}

TEST_F(Coalesce, IdentificationMattersOnlyWherePacketsMayBeFragmented) {
  for (const bool dont_fragment : {true, false}) {
    for (const uint16_t next : std::initializer_list<uint16_t>{7, 8, 9}) {
      IpPacket first({}, 100), second({}, 100);
      add(first.identification(7, dont_fragment));
      add(second.sequence(100).identification(next, dont_fragment));
      EXPECT_EQ(run_lengths(), dont_fragment || next == 8 ? (Lengths{2}) : (Lengths{1, 1}));
    }
  }
}

TEST_F(Coalesce, FragmentsAndOptionsGoAlone) {
  EXPECT_EQ(lengths_of_two({}, [](IpPacket& p) { store_be16(p.ip() + 6, 0x2000), p.sign(); }), (Lengths{1, 1}));
  EXPECT_EQ(lengths_of_two({}, [](IpPacket& p) { p.ip()[0] = 0x46; }), (Lengths{1, 1}));
  EXPECT_EQ(lengths_of_two({false}, [](IpPacket& p) { p.ip()[6] = 0; }), (Lengths{1, 1})) << "hop-by-hop options";
}

TEST_F(Coalesce, ADamagedPacketIsWrittenAsItCame) {
  for (const Flow& flow : kFlows) {
    for (const size_t damaged : {0u, 1u, 2u}) {
      packets_.clear();
      std::vector<std::vector<uint8_t>> sent;
      for (uint32_t i = 0; i < 3; ++i) {
        IpPacket packet(flow, 100);
        if (flow.tcp) packet.sequence(i * 100);
        if (i == damaged) packet.payload()[50] ^= 1;
        sent.push_back(packet.bytes());
        add(packet);
      }
      const auto all = written();
      size_t alone = 0;
      for (const Written& each : all) alone += each.bytes == sent[damaged] && each.header == VnetHeader{};
      EXPECT_EQ(alone, 1u);
    }
  }
}

TEST_F(Coalesce, AWrongIpv4HeaderChecksumIsDamageToo) {
  EXPECT_EQ(lengths_of_two({}, [](IpPacket& p) { p.ip()[10] ^= 1; }), (Lengths{1, 1}));
}

TEST_F(Coalesce, UdpWithoutAChecksumGoesAlone) {
  EXPECT_EQ(lengths_of_two({true, false}, [](IpPacket& p) { store_be16(p.checksum(), 0); }), (Lengths{1, 1}));
}

TEST_F(Coalesce, LengthsThatDisagreeGoAlone) {
  EXPECT_EQ(lengths_of_two({true, false}, [](IpPacket& p) { store_be16(p.upper() + 4, 107); }), (Lengths{1, 1}));
  EXPECT_EQ(lengths_of_two({}, [](IpPacket& p) { p.bytes().push_back(0); }), (Lengths{1, 1}));
  EXPECT_EQ(lengths_of_two({}, [](IpPacket& p) { p.upper()[12] = 0x40; }), (Lengths{1, 1}));
  EXPECT_EQ(lengths_of_two({}, [](IpPacket& p) { p.upper()[12] = 0xf0; }), (Lengths{1, 1}));
}

/// An acknowledgment between data of its own flow: what follows must not overtake it.
TEST_F(Coalesce, AFlowStaysInOrder) {
  add_data({}, {100, 100});
  IpPacket pure({}, 0);
  add(pure.sequence(200));
  add_data({}, {100, 100}, 200);
  EXPECT_EQ(run_lengths(), (Lengths{2, 1, 2}));
}

/// Any mixture comes out complete: cut again, every flow has the packets it had, in its order.
TEST_F(Coalesce, AnyMixtureComesOutComplete) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    packets_.clear();
    std::vector<std::vector<std::vector<uint8_t>>> sent(24);
    std::vector<uint32_t> next(24);
    for (size_t i = 0; i < 100; ++i) {
      const size_t number = random() % (round % 2 == 0 ? 4 : 24);
      const Flow flow{number % 2 == 0, number % 4 < 2, static_cast<uint8_t>(number)};
      const size_t size = random() % 8 == 0 ? random() % 200 : 200;
      IpPacket packet(flow, size, static_cast<uint8_t>(random()));
      if (flow.tcp) packet.sequence(next[number]).flags(random() % 16 == 0 ? 0x18 : 0x10);
      next[number] += static_cast<uint32_t>(size);
      if (random() % 32 == 0) packet.bytes().back() ^= 1;
      sent[number].push_back(packet.bytes());
      add(packet);
    }
    std::vector<std::vector<std::vector<uint8_t>>> received(24);
    for (const Written& each : written()) {
      PacketBatch cut;
      ASSERT_EQ(segment(each.bytes, each.header, pool_, cut), Drop::kNone);
      const size_t host = each.bytes[0] >> 4 == 4 ? each.bytes[15] : each.bytes[23];
      for (const Packet& packet : cut) received[host].emplace_back(packet.bytes().begin(), packet.bytes().end());
    }
    for (size_t number = 0; number < 24; ++number) {
      ASSERT_EQ(received[number].size(), sent[number].size()) << round;
      for (size_t i = 0; i < sent[number].size(); ++i) {
        auto& got = received[number][i];
        // IPv4's identification is counted up when it is cut again; it means nothing with "don't fragment".
        if (got[0] >> 4 == 4) std::copy_n(sent[number][i].begin() + 4, 8, got.begin() + 4);
        ASSERT_EQ(got, sent[number][i]) << round << ", flow " << number << ", packet " << i;
      }
    }
  }
}

}  // namespace
}  // namespace adit
