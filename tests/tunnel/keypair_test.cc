#include "tunnel/keypair.h"

#include <gtest/gtest.h>

namespace adit::tunnel {
namespace {

constexpr Time kStart{seconds(7)};

Keypairs::Slot session(uint32_t index) {
  auto keypair = std::make_unique<Keypair>();
  keypair->local_index = index;
  keypair->created = kStart;
  return keypair;
}

std::vector<uint32_t> indices(const Keypairs::Ended& ended) {
  std::vector<uint32_t> all;
  for (const uint32_t index : ended) {
    if (index != 0) all.push_back(index);
  }
  return all;
}

/// previous, current, next; 0 for an empty slot.
std::array<uint32_t, 3> slots(const Keypairs& keypairs) {
  const auto index = [](const Keypair* keypair) { return keypair == nullptr ? 0 : keypair->local_index; };
  return {index(keypairs.previous()), index(keypairs.current()), index(keypairs.next())};
}
using Slots = std::array<uint32_t, 3>;
using Indices = std::vector<uint32_t>;

TEST(Keypair, NoncesCountFromZero) {
  Keypair keypair;
  EXPECT_EQ(keypair.take_nonce(), 0u);
  EXPECT_EQ(keypair.take_nonce(), 1u);
  EXPECT_EQ(keypair.take_nonce(), 2u);
}

TEST(Keypair, SendsUntilItsCounterIsUsedUpAndNeverRepeatsANonce) {
  Keypair keypair;
  keypair.created = kStart;
  keypair.send_counter = kRejectAfterMessages - 1;
  EXPECT_TRUE(keypair.may_send(kStart));
  EXPECT_EQ(keypair.take_nonce(), UINT64_MAX - 8130);
  EXPECT_FALSE(keypair.may_send(kStart));
  EXPECT_DEATH(keypair.take_nonce(), "");
}

TEST(Keypair, SendsAndReceivesForLessThan180Seconds) {
  Keypair keypair;
  keypair.created = kStart;
  const Time last = kStart + seconds(180) - nanoseconds(1);
  EXPECT_TRUE(keypair.may_send(last));
  EXPECT_TRUE(keypair.may_receive(last));
  EXPECT_FALSE(keypair.may_send(kStart + seconds(180)));
  EXPECT_FALSE(keypair.may_receive(kStart + seconds(180)));
}

TEST(Keypair, ReceivesEvenWhenItsSendingCounterIsUsedUp) {
  Keypair keypair;
  keypair.created = kStart;
  keypair.send_counter = kRejectAfterMessages;
  EXPECT_TRUE(keypair.may_receive(kStart));
}

TEST(Keypairs, ASessionWeBeganSendsAtOnce) {
  Keypairs keypairs;
  EXPECT_EQ(indices(keypairs.add_as_initiator(session(1))), Indices{});
  EXPECT_EQ(slots(keypairs), (Slots{0, 1, 0}));
  EXPECT_EQ(indices(keypairs.add_as_initiator(session(2))), Indices{});
  EXPECT_EQ(slots(keypairs), (Slots{1, 2, 0}));
  EXPECT_EQ(indices(keypairs.add_as_initiator(session(3))), Indices{1});
  EXPECT_EQ(slots(keypairs), (Slots{2, 3, 0}));
}

TEST(Keypairs, ASessionWeAnsweredWaitsAndFreesThePrevious) {
  Keypairs keypairs;
  keypairs.add_as_initiator(session(1));
  keypairs.add_as_initiator(session(2));
  EXPECT_EQ(indices(keypairs.add_as_responder(session(3))), Indices{1});
  EXPECT_EQ(slots(keypairs), (Slots{0, 2, 3}));
  EXPECT_EQ(indices(keypairs.add_as_responder(session(4))), Indices{3});
  EXPECT_EQ(slots(keypairs), (Slots{0, 2, 4}));
}

TEST(Keypairs, FirstUseMakesTheNextCurrent) {
  Keypairs keypairs;
  keypairs.add_as_responder(session(1));
  EXPECT_EQ(keypairs.current(), nullptr);
  EXPECT_TRUE(keypairs.received_with(keypairs.find(1)));
  EXPECT_EQ(slots(keypairs), (Slots{0, 1, 0}));
  keypairs.add_as_responder(session(2));
  EXPECT_TRUE(keypairs.received_with(keypairs.find(2)));
  EXPECT_EQ(slots(keypairs), (Slots{1, 2, 0}));
}

TEST(Keypairs, UseOfTheOthersMovesNothing) {
  Keypairs keypairs;
  keypairs.add_as_initiator(session(1));
  EXPECT_FALSE(keypairs.received_with(keypairs.find(1)));
  EXPECT_FALSE(keypairs.received_with(nullptr)) << "an empty slot is nobody's session";
  keypairs.add_as_responder(session(2));
  EXPECT_FALSE(keypairs.received_with(keypairs.find(1)));
  EXPECT_EQ(slots(keypairs), (Slots{0, 1, 2}));
}

TEST(Keypairs, ASessionWeBeganDisplacesAnUnconfirmedOneToPrevious) {
  Keypairs keypairs;
  keypairs.add_as_initiator(session(1));
  keypairs.add_as_responder(session(2));
  EXPECT_EQ(indices(keypairs.add_as_initiator(session(3))), Indices{1});
  EXPECT_EQ(slots(keypairs), (Slots{2, 3, 0})) << "the peer may be about to use it";
}

TEST(Keypairs, EverySlotIsFoundByItsIndex) {
  Keypairs keypairs;
  keypairs.add_as_initiator(session(1));
  keypairs.add_as_initiator(session(2));
  EXPECT_EQ(keypairs.find(1), keypairs.previous());
  EXPECT_EQ(keypairs.find(2), keypairs.current());
  keypairs.add_as_responder(session(3));
  EXPECT_EQ(keypairs.find(1), nullptr);
  EXPECT_EQ(keypairs.find(3), keypairs.next());
}

TEST(Keypairs, ThatStopSendingStillReceive) {
  Keypairs keypairs;
  keypairs.add_as_initiator(session(1));
  keypairs.add_as_responder(session(2));
  keypairs.stop_sending();
  for (const uint32_t index : {1u, 2u}) {
    const Keypair* keypair = keypairs.find(index);
    EXPECT_FALSE(keypair->may_send(keypair->created));
    EXPECT_TRUE(keypair->may_receive(keypair->created));
    EXPECT_TRUE(keypair->sending.is_zero());
  }
}

TEST(Keypairs, ClearingHandsOutEverySession) {
  Keypairs keypairs;
  keypairs.add_as_initiator(session(1));
  keypairs.add_as_responder(session(2));
  EXPECT_EQ(indices(keypairs.clear()), (Indices{1, 2}));
  EXPECT_EQ(slots(keypairs), Slots{});
}

}  // namespace
}  // namespace adit::tunnel
