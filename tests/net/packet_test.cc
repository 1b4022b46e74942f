#include "net/packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

namespace adit {
namespace {

TEST(PacketPool, HandsOutAsManyPacketsAsItHasSlots) {
  PacketPool pool(3, 100);
  EXPECT_EQ(pool.slots(), 3u);
  PacketBatch batch;
  for (size_t left = 3; left > 0; --left) {
    EXPECT_EQ(pool.available(), left);
    batch.push_back(pool.take());
    EXPECT_TRUE(batch.back());
  }
  EXPECT_EQ(pool.available(), 0u);
  EXPECT_FALSE(pool.take());
  EXPECT_FALSE(pool.take());
  EXPECT_EQ(pool.available(), 0u);
}

TEST(PacketPool, TakesBackTheSlotsOfPacketsThatDie) {
  PacketPool pool(3, 100);
  for (int round = 0; round < 10; ++round) {
    PacketBatch batch;
    for (int i = 0; i < 3; ++i) batch.push_back(pool.take());
    ASSERT_TRUE(std::ranges::all_of(batch, [](const Packet& packet) { return bool(packet); }));
    ASSERT_FALSE(pool.take());
    batch.clear();
    ASSERT_EQ(pool.available(), 3u);
  }
}

TEST(PacketPool, ReusesTheLastSlotFirst) {
  PacketPool pool(8, 100);
  const uint8_t* first = pool.take().data();
  for (int round = 0; round < 10; ++round) EXPECT_EQ(pool.take().data(), first);
}

TEST(PacketPool, AdoptsPacketsOfOthersByTheirBytesAndItsOwnAsTheyAre) {
  PacketPool pool(2, 100);
  PacketPool other(1, 500);
  Packet own = pool.take();
  const uint8_t* const place = own.data();
  own = pool.adopt(std::move(own));
  EXPECT_EQ(own.data(), place);

  Packet foreign = other.take();
  std::ranges::fill(foreign.push_back(100), uint8_t{7});
  Packet adopted = pool.adopt(std::move(foreign));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(other.available(), 1u);
  EXPECT_EQ(pool.available(), 0u);
  EXPECT_EQ(adopted.size(), 100u);
  EXPECT_TRUE(std::ranges::all_of(adopted.bytes(), [](uint8_t byte) { return byte == 7; }));

  EXPECT_FALSE(pool.adopt(other.take())) << "no room";
  EXPECT_EQ(other.available(), 1u);
  adopted = {};
  foreign = other.take();
  foreign.push_back(400);
  EXPECT_FALSE(pool.adopt(std::move(foreign))) << "too large";
}

TEST(PacketPool, GivesALargeSlotOnlyWhereOneIsNeeded) {
  PacketPool pool(2, 1500);
  EXPECT_FALSE(pool.take(pool.largest_packet() + 1)) << "it has none";
  EXPECT_FALSE(pool.can_hold(pool.largest_packet() + 1));
  pool.add_large(1, 65527);
  EXPECT_TRUE(pool.can_hold(65527));
  EXPECT_FALSE(pool.can_hold(66000));
  EXPECT_FALSE(pool.take(66000));

  const Packet usual = pool.take(pool.largest_packet());
  EXPECT_EQ(pool.available(), 1u);
  Packet large = pool.take(pool.largest_packet() + 1);
  ASSERT_TRUE(large);
  EXPECT_EQ(pool.available(), 1u) << "the usual slots are others";
  EXPECT_EQ(large.headroom(), kHeadroom);
  EXPECT_GE(large.tailroom(), 65527 + kTailroom);
  std::ranges::fill(large.push_back(65527), uint8_t{1});
  EXPECT_FALSE(pool.take(65527)) << "there is one";
  large = {};
  EXPECT_TRUE(pool.take(65527));
  const Packet second = pool.take(100);
  EXPECT_FALSE(pool.take(100)) << "a large slot is not for what fits a usual one";
}

TEST(PacketPool, ThatIsSharedServesManyThreads) {
  PacketPool pool(64, 100, PacketPool::Use::kShared);
  const auto work = [&pool] {
    for (int round = 0; round < 2000; ++round) {
      PacketBatch batch;
      for (int i = 0; i < 16; ++i) batch.push_back(pool.take());
      for (Packet& packet : batch) std::ranges::fill(packet.push_back(100), static_cast<uint8_t>(round));
      for (Packet& packet : batch) ASSERT_EQ(packet.bytes()[99], static_cast<uint8_t>(round));
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(pool.available(), pool.slots());
}

TEST(PacketPool, GivesEveryPacketMemoryOfItsOwn) {
  constexpr size_t kSlots = 16;
  PacketPool pool(kSlots, 100);
  PacketBatch batch;
  for (size_t i = 0; i < kSlots; ++i) {
    batch.push_back(pool.take());
    batch.back().push_front(batch.back().headroom());
    batch.back().push_back(batch.back().tailroom());
    std::ranges::fill(batch.back().bytes(), static_cast<uint8_t>(i));
  }
  for (size_t i = 0; i < kSlots; ++i) {
    EXPECT_TRUE(std::ranges::all_of(batch[i].bytes(), [&](uint8_t byte) { return byte == i; })) << i;
  }
}

TEST(PacketPool, HasRoomForTheLargestPacketAndWhatGoesAroundIt) {
  for (const size_t largest : {1u, 63u, 64u, 1420u, 1500u, 9000u, 65535u}) {
    PacketPool pool(2, largest);
    EXPECT_GE(pool.largest_packet(), largest);
    const Packet packet = pool.take();
    EXPECT_EQ(packet.size(), 0u);
    EXPECT_EQ(packet.headroom(), kHeadroom);
    EXPECT_EQ(packet.tailroom(), pool.largest_packet() + kTailroom);
  }
}

TEST(PacketPool, StartsEveryPacketOnACacheLine) {
  PacketPool pool(4, 1500);
  PacketBatch batch;
  for (int i = 0; i < 4; ++i) {
    batch.push_back(pool.take());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(batch.back().data()) % 64, 0u);
  }
}

TEST(Packet, WithoutASlotIsFalseAndEmpty) {
  const Packet packet;
  EXPECT_FALSE(packet);
  EXPECT_EQ(packet.size(), 0u);
}

TEST(Packet, GrowsAndShrinksAtBothEnds) {
  PacketPool pool(1, 1000);
  Packet packet = pool.take();
  const size_t tailroom = packet.tailroom();

  std::ranges::copy(std::array<uint8_t, 4>{3, 4, 5, 6}, packet.push_back(4).begin());
  EXPECT_EQ(packet.size(), 4u);
  EXPECT_EQ(packet.headroom(), kHeadroom);
  EXPECT_EQ(packet.tailroom(), tailroom - 4);

  std::ranges::copy(std::array<uint8_t, 2>{1, 2}, packet.push_front(2).begin());
  EXPECT_EQ(packet.size(), 6u);
  EXPECT_EQ(packet.headroom(), kHeadroom - 2);
  EXPECT_EQ(packet.tailroom(), tailroom - 4);
  EXPECT_TRUE(std::ranges::equal(packet.bytes(), std::array<uint8_t, 6>{1, 2, 3, 4, 5, 6}));

  packet.pull_front(3);
  EXPECT_EQ(packet.headroom(), kHeadroom + 1);
  packet.trim_to(2);
  EXPECT_EQ(packet.tailroom(), tailroom - 3);
  EXPECT_TRUE(std::ranges::equal(packet.bytes(), std::array<uint8_t, 2>{4, 5}));

  packet.pull_front(2);
  EXPECT_EQ(packet.size(), 0u);
  EXPECT_EQ(packet.headroom() + packet.tailroom(), kHeadroom + tailroom);
}

TEST(Packet, GrowsBehindAtTheEndOfWhatItHas) {
  PacketPool pool(1, 100);
  Packet packet = pool.take();
  packet.push_back(10);
  const Bytes added = packet.push_back(5);
  EXPECT_EQ(added.data(), packet.data() + 10);
  EXPECT_EQ(added.size(), 5u);
}

TEST(Packet, MovesItsSlotAndItsWindow) {
  PacketPool pool(2, 100);
  Packet first = pool.take();
  first.push_back(4)[0] = 42;
  first.push_front(1);
  const uint8_t* data = first.data();

  Packet second = std::move(first);
  EXPECT_FALSE(first);
  EXPECT_TRUE(second);
  EXPECT_EQ(second.data(), data);
  EXPECT_EQ(second.size(), 5u);
  EXPECT_EQ(second.headroom(), kHeadroom - 1);
  EXPECT_EQ(pool.available(), 1u);
}

TEST(Packet, GivesItsSlotBackWhenAnotherIsMovedIn) {
  PacketPool pool(2, 100);
  Packet first = pool.take();
  Packet second = pool.take();
  second.push_back(7);
  first = std::move(second);
  EXPECT_EQ(pool.available(), 1u);
  EXPECT_EQ(first.size(), 7u);
  first = Packet();
  EXPECT_FALSE(first);
  EXPECT_EQ(first.size(), 0u);
  EXPECT_EQ(pool.available(), 2u);
}

TEST(Packet, SurvivesBeingMovedIntoItself) {
  PacketPool pool(1, 100);
  Packet packet = pool.take();
  packet.push_back(3);
  Packet& same = packet;
  packet = std::move(same);
  EXPECT_TRUE(packet);
  EXPECT_EQ(packet.size(), 3u);
  EXPECT_EQ(pool.available(), 0u);
}

TEST(Packet, StartsFreshInAUsedSlot) {
  PacketPool pool(1, 100);
  {
    Packet packet = pool.take();
    packet.push_back(50);
    packet.pull_front(20);
  }
  const Packet packet = pool.take();
  EXPECT_EQ(packet.size(), 0u);
  EXPECT_EQ(packet.headroom(), kHeadroom);
}

}  // namespace
}  // namespace adit
