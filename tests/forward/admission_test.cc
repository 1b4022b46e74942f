#include "forward/admission.h"

#include <gtest/gtest.h>

namespace adit::forward {
namespace {

const Ip kClient = *Ip::parse("198.51.100.7");
const Ip kOther = *Ip::parse("198.51.100.8");
constexpr Time kNow{seconds(1000)};

TEST(Admission, WithoutATableAnyoneMay) {
  Admission admission(10, 1);
  EXPECT_EQ(admission.ask({}, 0, 0, kClient, kNow), Drop::kNone);
}

TEST(Admission, TheLongestPrefixOfTheTableDecides) {
  std::vector<Rule> rules(1);  // on the stack g++ 12 sees uninitialized members where there are none
  Rule& rule = rules.front();
  rule.from.emplace();
  rule.from->set(*Prefix::parse("198.51.100.0/24"), true);
  rule.from->set(*Prefix::parse("198.51.100.8"), false);
  Admission admission(10, 1);
  EXPECT_EQ(admission.ask(rule, 0, 0, kClient, kNow), Drop::kNone);
  EXPECT_EQ(admission.ask(rule, 0, 0, kOther, kNow), Drop::kNotAllowed);
  EXPECT_EQ(admission.ask(rule, 0, 0, *Ip::parse("203.0.113.1"), kNow), Drop::kNotAllowed);
}

TEST(Admission, AFullRuleIsFull) {
  Rule rule;
  rule.max_flows = 2;
  Admission admission(10, 1);
  EXPECT_EQ(admission.ask(rule, 0, 1, kClient, kNow), Drop::kNone);
  EXPECT_EQ(admission.ask(rule, 0, 2, kClient, kNow), Drop::kFlowTableFull);
}

TEST(Admission, ASourceIsAnIpv6NetworkAndItsPlacesComeFreeAgain) {
  Rule rule;
  rule.max_flows_per_source = 1;
  Admission admission(10, 1);
  const SourceIndex source = admission.add(0, *Ip::parse("2001:db8::1"));
  EXPECT_EQ(admission.ask(rule, 0, 1, *Ip::parse("2001:db8::2"), kNow), Drop::kSourceFlowsFull);
  EXPECT_EQ(admission.ask(rule, 0, 1, *Ip::parse("2001:db8:0:1::2"), kNow), Drop::kNone);
  EXPECT_EQ(admission.ask(rule, 1, 1, *Ip::parse("2001:db8::2"), kNow), Drop::kNone);
  admission.remove(source);
  EXPECT_EQ(admission.ask(rule, 0, 1, *Ip::parse("2001:db8::2"), kNow), Drop::kNone);
}

TEST(Admission, ASourceOpensSoManyASecond) {
  Rule rule;
  rule.max_new_flows_per_source = 2;
  Admission admission(10, 1);
  EXPECT_EQ(admission.ask(rule, 0, 0, kClient, kNow), Drop::kNone);
  EXPECT_EQ(admission.ask(rule, 0, 0, kClient, kNow), Drop::kNone);
  EXPECT_EQ(admission.ask(rule, 0, 0, kClient, kNow), Drop::kSourceRate);
  EXPECT_EQ(admission.ask(rule, 0, 0, kOther, kNow), Drop::kNone);
  EXPECT_EQ(admission.ask(rule, 0, 0, kClient, kNow + milliseconds(500)), Drop::kNone);
}

TEST(Admission, WhoIsRefusedForAnotherReasonHasNotOpenedAnything) {
  Rule rule;
  rule.max_new_flows_per_source = 1;
  rule.max_flows = 1;
  Admission admission(10, 1);
  EXPECT_EQ(admission.ask(rule, 0, 1, kClient, kNow), Drop::kFlowTableFull);
  EXPECT_EQ(admission.ask(rule, 0, 0, kClient, kNow), Drop::kNone);
}

}  // namespace
}  // namespace adit::forward
