#include "daemon/uapi.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/support/paper_device.h"

namespace adit::daemon {
namespace {

/// Sends `bytes` in pieces of at most `piece`, and the end; all answers.
std::string say(UapiTarget& target, std::string_view bytes, size_t piece = std::string::npos) {
  UapiConversation conversation(target);
  std::string answers;
  while (!bytes.empty() && !conversation.is_over()) {
    bytes.remove_prefix(conversation.take(bytes.substr(0, piece)));
    answers += conversation.take_answer();
  }
  conversation.take_end();
  return answers + conversation.take_answer();
}

std::string answer_of(int error) { return "errno=" + std::to_string(error) + "\n\n"; }

std::string key_text(uint8_t byte) {
  char text[3];
  std::snprintf(text, sizeof text, "%02x", byte);
  std::string all;
  for (size_t i = 0; i < crypto::kKeySize; ++i) all += text;
  return all;
}

crypto::PublicKey key(uint8_t byte) {
  crypto::PublicKey public_key;
  public_key.bytes.fill(byte);
  return public_key;
}

std::string peer(uint8_t byte) { return "public_key=" + key_text(byte) + "\n"; }

class Uapi : public testing::Test {
 protected:
  /// A set with these lines; its errno.
  int set(const std::string& lines) {
    const std::string answer = say(device_, "set=1\n" + lines + "\n");
    int error = 1;
    EXPECT_EQ(std::sscanf(answer.c_str(), "errno=%d\n\n", &error), 1) << answer;
    EXPECT_EQ(answer, answer_of(error)) << "one answer and nothing else";
    return error;
  }
  const tunnel::PeerStatus& at(uint8_t byte) { return device_.peers.at(key(byte)); }

  test::PaperDevice device_;
};

// ---- reload

TEST_F(Uapi, ReloadIsDoneOnceAndAnswered) {
  EXPECT_EQ(say(device_, "reload=1\n\n"), "errno=0\n\n");
  EXPECT_EQ(device_.reloads, 1);
}

TEST_F(Uapi, AReloadThatFailsSaysWhy) {
  device_.reload_result = {-EINVAL, "adit.toml:3:1: what\nadit.toml:4:1: what else"};
  EXPECT_EQ(say(device_, "reload=1\n\nreload=1\n\n", 1),
            "adit.toml:3:1: what\nadit.toml:4:1: what else\nerrno=-22\n\n"
            "adit.toml:3:1: what\nadit.toml:4:1: what else\nerrno=-22\n\n");
}

TEST_F(Uapi, AReloadThatIsNotFinishedIsNotDone) {
  EXPECT_EQ(say(device_, "reload=1\n"), "");
  EXPECT_EQ(say(device_, "reload=1\nprivate_key=\n\n").substr(0, 10), "errno=-22\n");
  EXPECT_EQ(device_.reloads, 0);
}

// ---- get

TEST_F(Uapi, GetOfAnInterfaceThatHasNothingSaysNothing) { EXPECT_EQ(say(device_, "get=1\n\n"), "errno=0\n\n"); }

TEST_F(Uapi, GetTellsEverythingInTheOrderOfWireguardGo) {
  device_.private_key = crypto::PrivateKey(key(0x4a).bytes);
  device_.listen_port = 51820;
  device_.fwmark = 42;
  tunnel::PeerStatus& first = device_.peers[key(1)];
  first.public_key = key(1);
  first.preshared_key = crypto::PresharedKey(key(0xfe).bytes);
  first.endpoint = Endpoint::parse("192.0.2.1:7");
  first.last_handshake = WallTime(seconds(1700000000) + nanoseconds(5));
  first.sent_bytes = 148;
  first.received_bytes = 92;
  first.persistent_keepalive = seconds(25);
  first.allowed_ips = {*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fd00::/8")};
  device_.peers[key(2)].public_key = key(2);
  EXPECT_EQ(say(device_, "get=1\n\n"), "private_key=" + key_text(0x4a) +
                                           "\nlisten_port=51820\nfwmark=42\n"
                                           "public_key=" +
                                           key_text(1) + "\npreshared_key=" + key_text(0xfe) +
                                           "\nprotocol_version=1\nendpoint=192.0.2.1:7\n"
                                           "last_handshake_time_sec=1700000000\nlast_handshake_time_nsec=5\n"
                                           "tx_bytes=148\nrx_bytes=92\npersistent_keepalive_interval=25\n"
                                           "allowed_ip=10.0.0.0/8\nallowed_ip=fd00::/8\n"
                                           "public_key=" +
                                           key_text(2) + "\npreshared_key=" + key_text(0) +
                                           "\nprotocol_version=1\nlast_handshake_time_sec=0\n"
                                           "last_handshake_time_nsec=0\ntx_bytes=0\nrx_bytes=0\n"
                                           "persistent_keepalive_interval=0\nerrno=0\n\n");
}

TEST_F(Uapi, GetWritesIpv6EndpointsInBracketsAndWithTheirZone) {
  device_.peers[key(1)].endpoint = Endpoint::parse("[2001:db8::1]:7");
  EXPECT_NE(say(device_, "get=1\n\n").find("\nendpoint=[2001:db8::1]:7\n"), std::string::npos);
  device_.peers[key(1)].endpoint = Endpoint{*Ip::parse("fe80::1"), 7, 3};
  EXPECT_NE(say(device_, "get=1\n\n").find("\nendpoint=[fe80::1%3]:7\n"), std::string::npos);
}

// ---- set

TEST_F(Uapi, SetTakesEveryKeyThereIs) {
  EXPECT_EQ(set("private_key=" + key_text(0xff) + "\nlisten_port=7\nfwmark=4294967295\nreplace_peers=true\n" + peer(1) +
                "preshared_key=" + key_text(9) + "\nendpoint=192.0.2.1:8\npersistent_keepalive_interval=65535\n" +
                "replace_allowed_ips=true\nallowed_ip=10.0.0.0/8\nallowed_ip=fd00::/8\nprotocol_version=1\n" + peer(2) +
                "endpoint=[2001:db8::1]:9\n"),
            0);
  EXPECT_EQ(device_.private_key.bytes().front(), 0xf8) << "clamped";
  EXPECT_EQ(device_.private_key.bytes().back(), 0x7f) << "clamped";
  EXPECT_EQ(device_.listen_port, 7);
  EXPECT_EQ(device_.fwmark, 4294967295u);
  EXPECT_EQ(at(1).preshared_key.bytes(), key(9).bytes);
  EXPECT_EQ(at(1).endpoint, Endpoint::parse("192.0.2.1:8"));
  EXPECT_EQ(at(1).persistent_keepalive, seconds(65535));
  EXPECT_EQ(at(1).allowed_ips, (std::vector{*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fd00::/8")}));
  EXPECT_EQ(at(2).endpoint, Endpoint::parse("[2001:db8::1]:9"));
  EXPECT_EQ(device_.finished, (std::vector{key(1), key(2)}));
  EXPECT_EQ(device_.sets, 1);
}

TEST_F(Uapi, SetRefusesWhatIsWrongWithTheNumberForIt) {
  const std::string k = peer(1);
  const std::vector<std::pair<std::string, int>> mistakes = {
      {"listen_port", EPROTO},
      {"private_key", EPROTO},
      {" ", EPROTO},
      {"=", EINVAL},
      {"frobnicate=1", EINVAL},
      {"Listen_Port=1", EINVAL},
      {"private_key=", EINVAL},
      {"private_key=" + key_text(1) + "0", EINVAL},
      {"private_key=" + key_text(1).substr(1), EINVAL},
      {"private_key=x" + key_text(1).substr(1), EINVAL},
      {"private_key= " + key_text(1).substr(1), EINVAL},
      {"private_key=+" + key_text(1).substr(1), EINVAL},
      {"listen_port=", EINVAL},
      {"listen_port=65536", EINVAL},
      {"listen_port=-1", EINVAL},
      {"listen_port=+1", EINVAL},
      {"listen_port= 1", EINVAL},
      {"listen_port=1 ", EINVAL},
      {"listen_port=0x10", EINVAL},
      {"listen_port=4000", EADDRINUSE},
      {"fwmark=4294967296", EINVAL},
      {"fwmark=0x2a", EINVAL},
      {"replace_peers=false", EINVAL},
      {"replace_peers=", EINVAL},
      {"allowed_ip=10.0.0.0/8", EINVAL},  // of no peer
      {"public_key=", EINVAL},
      {"public_key=" + key_text(1) + "00", EINVAL},
      {k + "listen_port=1", EINVAL},  // behind a peer
      {k + "update_only=false", EINVAL},
      {k + "remove=1", EINVAL},
      {k + "preshared_key=1", EINVAL},
      {k + "endpoint=", EINVAL},
      {k + "endpoint=192.0.2.1", EINVAL},
      {k + "endpoint=name.example:1", EINVAL},
      {k + "endpoint=192.0.2.1:65536", EINVAL},
      {k + "endpoint=2001:db8::1:1", EINVAL},
      {k + "endpoint=[fe80::1%]:1", EINVAL},
      {k + "endpoint=[fe80::1%nosuchinterface]:1", EINVAL},
      {k + "endpoint=[fe80::1%1:1", EINVAL},
      {k + "endpoint=192.0.2.1%1]:1", EINVAL},
      {k + "persistent_keepalive_interval=65536", EINVAL},
      {k + "persistent_keepalive_interval=off", EINVAL},
      {k + "replace_allowed_ips=false", EINVAL},
      {k + "allowed_ip=", EINVAL},
      {k + "allowed_ip=-", EINVAL},
      {k + "allowed_ip=10.0.0.0", EINVAL},
      {k + "allowed_ip=10.0.0.0/33", EINVAL},
      {k + "allowed_ip=+10.0.0.0/8", EINVAL},
      {k + "allowed_ip=10.0.0.0/8,10.1.0.0/16", EINVAL},
      {k + "protocol_version=2", EINVAL},
      {k + "protocol_version=01", EINVAL},
      {k + "rx_bytes=1", EINVAL},
  };
  device_.busy_port = 4000;
  for (const auto& [lines, error] : mistakes) EXPECT_EQ(set(lines + "\n"), -error) << lines;
}

TEST_F(Uapi, SetThatTheKernelRefusesToMarkSaysSo) {
  device_.may_mark = false;
  EXPECT_EQ(set("fwmark=1\n"), -EADDRINUSE);
}

TEST_F(Uapi, LinesBeforeABadOneStayAndThoseBehindItDoNothing) {
  EXPECT_EQ(set("listen_port=7\nfwmark=x\nlisten_port=8\n" + peer(1)), -EINVAL);
  EXPECT_EQ(device_.listen_port, 7);
  EXPECT_TRUE(device_.peers.empty());
  EXPECT_EQ(set(peer(1) + "allowed_ip=10.0.0.0/8\nallowed_ip=x\nallowed_ip=11.0.0.0/8\n"), -EINVAL);
  EXPECT_EQ(at(1).allowed_ips, std::vector{*Prefix::parse("10.0.0.0/8")});
}

TEST_F(Uapi, ABadLineIsAnsweredAtOnceAndTheNextRequestBehindTheEmptyLine) {
  UapiConversation conversation(device_);
  const std::string_view first = "set=1\nx\n";
  EXPECT_EQ(conversation.take(first), first.size());
  EXPECT_EQ(conversation.take_answer(), answer_of(-EPROTO));
  EXPECT_EQ(say(device_, "set=1\nx\nget=1\n\nget=1\n\n"), answer_of(-EPROTO) + answer_of(0));
}

TEST_F(Uapi, AnAllZeroPrivateKeyRemovesIt) {
  EXPECT_EQ(set("private_key=" + key_text(1) + "\n"), 0);
  EXPECT_EQ(set("private_key=" + key_text(0) + "\n"), 0);
  EXPECT_TRUE(device_.private_key.is_zero());
}

TEST_F(Uapi, KeysMayBeWrittenInCapitals) {
  EXPECT_EQ(set("public_key=" + std::string(64, 'A') + "\n"), 0);
  EXPECT_TRUE(device_.peers.contains(key(0xaa)));
}

TEST_F(Uapi, AZoneMayBeANumberOrAName) {
  EXPECT_EQ(set(peer(1) + "endpoint=[fe80::1%5]:7\n"), 0);
  EXPECT_EQ(at(1).endpoint, (Endpoint{*Ip::parse("fe80::1"), 7, 5}));
  EXPECT_EQ(set(peer(1) + "endpoint=[fe80::1%lo]:7\n"), 0);
  EXPECT_EQ(at(1).endpoint, (Endpoint{*Ip::parse("fe80::1"), 7, 1}));
}

TEST_F(Uapi, ReplacePeersRemovesThoseThatWereThere) {
  EXPECT_EQ(set(peer(1)), 0);
  EXPECT_EQ(set("replace_peers=true\n" + peer(2)), 0);
  EXPECT_FALSE(device_.peers.contains(key(1)));
  EXPECT_TRUE(device_.peers.contains(key(2)));
}

TEST_F(Uapi, UpdateOnlyCreatesNobody) {
  EXPECT_EQ(set(peer(1) + "update_only=true\nendpoint=192.0.2.1:7\nallowed_ip=10.0.0.0/8\n"), 0);
  EXPECT_TRUE(device_.peers.empty());
  EXPECT_TRUE(device_.finished.empty());
  EXPECT_EQ(set(peer(1)), 0);
  EXPECT_EQ(set(peer(1) + "update_only=true\nendpoint=192.0.2.1:7\n"), 0);
  EXPECT_EQ(at(1).endpoint, Endpoint::parse("192.0.2.1:7"));
}

TEST_F(Uapi, ARemovedPeerTakesNothingMoreButItsLinesMustBeRight) {
  EXPECT_EQ(set(peer(1)), 0);
  EXPECT_EQ(set(peer(1) + "remove=true\nendpoint=192.0.2.1:7\nremove=true\nupdate_only=true\nallowed_ip=10.0.0.0/8\n"),
            0);
  EXPECT_TRUE(device_.peers.empty());
  EXPECT_EQ(set(peer(1) + "remove=true\nendpoint=x\n"), -EINVAL);
  EXPECT_EQ(set(peer(1) + "remove=true\nallowed_ip=x\n"), -EINVAL);
  EXPECT_EQ(set(peer(1) + "remove=true\n" + peer(1) + "persistent_keepalive_interval=3\n"), 0);
  EXPECT_EQ(at(1).persistent_keepalive, seconds(3)) << "named again it is a new one";
}

TEST_F(Uapi, OurOwnKeyIsAPeerThatNeverIs) {
  device_.own_key = key(1);
  EXPECT_EQ(set(peer(1) + "endpoint=192.0.2.1:7\nallowed_ip=10.0.0.0/8\npreshared_key=" + key_text(3) +
                "\nreplace_allowed_ips=true\npersistent_keepalive_interval=1\nremove=true\n" + peer(2)),
            0);
  EXPECT_EQ(device_.peers.size(), 1u);
  EXPECT_EQ(device_.finished, std::vector{key(2)});
}

TEST_F(Uapi, AllowedIpsAreAddedRemovedAndReplaced) {
  EXPECT_EQ(set(peer(1) + "allowed_ip=10.1.2.3/8\nallowed_ip=fd00::/8\n"), 0);
  EXPECT_EQ(at(1).allowed_ips.front(), *Prefix::parse("10.0.0.0/8")) << "without host bits";
  EXPECT_EQ(set(peer(1) + "allowed_ip=-10.0.0.0/8\n"), 0);
  EXPECT_EQ(at(1).allowed_ips, std::vector{*Prefix::parse("fd00::/8")});
  EXPECT_EQ(set(peer(1) + "replace_allowed_ips=true\nallowed_ip=0.0.0.0/0\n"), 0);
  EXPECT_EQ(at(1).allowed_ips, std::vector{*Prefix::parse("0.0.0.0/0")});
}

TEST_F(Uapi, SetEndsWithTheConnection) {
  EXPECT_EQ(say(device_, "set=1\nlisten_port=7\n"), answer_of(0));
  EXPECT_EQ(say(device_, "set=1\nlisten_port=8"), answer_of(0));
  EXPECT_EQ(device_.listen_port, 8);
  EXPECT_EQ(say(device_, "set=1\nlisten_por"), answer_of(-EPROTO));
}

// ---- conversations

TEST_F(Uapi, RequestsThatAreNoneEndTheConversationWithoutAnAnswer) {
  for (const std::string text :
       {"", "\n", "get=2\n\n", "get=1", "get=1\n", "show=1\n", " get=1\n\n", "get=1 \n\n", "GET=1\n\n"}) {
    UapiConversation conversation(device_);
    conversation.take(text);
    conversation.take_end();
    EXPECT_TRUE(conversation.is_over());
    EXPECT_EQ(conversation.take_answer(), "") << text;
  }
}

TEST_F(Uapi, GetMustBeFollowedByAnEmptyLine) { EXPECT_EQ(say(device_, "get=1\nx\n"), answer_of(-EINVAL)); }

TEST_F(Uapi, ManyRequestsMayFollowEachOther) {
  device_.shown = R"({"a":1})";
  EXPECT_EQ(say(device_, "get=1\n\nset=1\nlisten_port=7\n\nshow=1\n\nget=1\n\n"),
            "errno=0\n\nerrno=0\n\n{\"a\":1}\nerrno=0\n\nlisten_port=7\nerrno=0\n\n");
}

TEST_F(Uapi, PiecesOfAnySizeMeanTheSame) {
  const std::string text = "get=1\n\nset=1\n" + peer(1) + "allowed_ip=10.0.0.0/8\n" + std::string(3000, 'x') +
                           "\nmore\n\nset=1\nfwmark=3\n\nget=1\n\nset=1\n" + peer(2);
  test::PaperDevice whole;
  const std::string expected = say(whole, text);
  for (size_t piece = 1; piece < 80; ++piece) {
    test::PaperDevice device;
    EXPECT_EQ(say(device, text, piece), expected) << piece;
    EXPECT_EQ(device_text(device.device()), device_text(whole.device())) << piece;
  }
}

TEST_F(Uapi, ALineOfAnyLengthIsAnErrorAndNoMemory) {
  EXPECT_EQ(say(device_, "set=1\nlisten_port=" + std::string(1 << 20, '0') + "\n\nget=1\n\n"),
            answer_of(-EIO) + answer_of(0));
  EXPECT_EQ(say(device_, std::string(1 << 20, 'x') + "\nget=1\n\n"), "");
}

TEST_F(Uapi, WhatGetSaysSetUnderstands) {
  EXPECT_EQ(set("private_key=" + key_text(0x48) + "\nlisten_port=7\nfwmark=9\n" + peer(1) +
                "preshared_key=" + key_text(5) + "\nendpoint=[fe80::1%5]:7\nallowed_ip=10.0.0.0/8\nallowed_ip=::/0\n"),
            0);
  test::PaperDevice copy;
  std::string lines;
  const std::string text = device_text(device_.device());
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at) + 1;
    const std::string line = text.substr(at, end - at);
    const bool is_only_told = line.starts_with("last_") || line.starts_with("tx_") || line.starts_with("rx_");
    if (!is_only_told) lines += line;
    at = end;
  }
  EXPECT_EQ(say(copy, "set=1\n" + lines + "\n"), answer_of(0));
  EXPECT_EQ(device_text(copy.device()), text);
}

}  // namespace
}  // namespace adit::daemon
