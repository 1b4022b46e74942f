// Computes with secrets under valgrind, having told it that they are not initialised: then memcheck reports every
// branch and every address that depends on them.
//
//     valgrind --error-exitcode=1 constant_time_check avx2
//
// What becomes public on the way (a tag was right or not) is in public_results.cc and public_tags.h.
#include <valgrind/memcheck.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "crypto/aead_impl.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "tunnel/noise.h"

namespace adit {
namespace {

using ByteVector = std::vector<uint8_t>;

void make_secret(std::span<uint8_t> memory) { (void)VALGRIND_MAKE_MEM_UNDEFINED(memory.data(), memory.size()); }
template <typename T>
void make_public(const T& value) {
  (void)VALGRIND_MAKE_MEM_DEFINED(&value, sizeof value);
}

void expect(bool happened, const char* what) {
  if (happened) return;
  std::printf("not so: %s\n", what);
  std::exit(1);
}

/// Batches of `count` messages, of lengths from none on, with one key and with several.
void check_batch(const crypto::AeadImpl& implementation, size_t count, size_t keys_used) {
  std::vector<crypto::SymmetricKey> keys(keys_used);
  std::vector<ByteVector> memory;
  std::vector<crypto::SealJob> seals;
  std::vector<crypto::OpenJob> opens;
  for (size_t i = 0; i < count; ++i) memory.emplace_back(i * 397 % 1500 + crypto::kTagSize);
  for (size_t i = 0; i < count; ++i) {
    seals.push_back({&keys[i % keys_used], i, memory[i]});
    opens.push_back({&keys[i % keys_used], i, memory[i], false});
    make_secret(memory[i]);
  }
  for (auto& key : keys) make_secret(key.bytes());
  implementation.seal_batch(seals);

  for (ByteVector& sealed : memory) (void)VALGRIND_MAKE_MEM_DEFINED(sealed.data(), sealed.size());
  for (size_t i = 0; i < count; i += 3) memory[i].back() ^= 1;
  implementation.open_batch(opens);
  for (size_t i = 0; i < count; ++i) expect(opens[i].ok == (i % 3 != 0), "what is forged is refused");
}

void check_implementation(std::string_view name) {
  const auto all = crypto::available_implementations();
  const auto found = std::ranges::find(all, name, &crypto::AeadImpl::name);
  if (found == all.end()) {
    std::printf("skipped: no %s as valgrind has it\n", std::string(name).c_str());
    return;
  }
  for (const size_t count : {1u, 2u, 8u, 16u, 70u}) {
    check_batch(**found, count, 1);
    check_batch(**found, count, 3);
  }
}

void check_single_door() {
  crypto::SymmetricKey key;
  crypto::random_bytes(key.bytes());
  ByteVector text(100), associated(32), sealed(text.size() + crypto::kTagSize);
  const std::array<uint8_t, crypto::kXNonceSize> nonce{};
  make_secret(text);
  make_secret(associated);
  crypto::seal(key, 1, associated, text, sealed);
  expect(crypto::open(key, 1, associated, sealed, text), "what was sealed opens");
  crypto::xseal(key, nonce, associated, text, sealed);
  expect(crypto::xopen(key, nonce, associated, sealed, text), "what was sealed opens");
}

void check_hashes() {
  ByteVector secret(200);
  crypto::random_bytes(secret);
  const auto key = std::span(secret).first(crypto::kKeySize);
  crypto::Hash a, b, c;
  (void)crypto::blake2s({secret, key});
  (void)crypto::blake2s_mac(key, {secret});
  (void)crypto::hmac_blake2s(secret, {secret});
  crypto::kdf1(key, secret, a);
  crypto::kdf2(key, secret, a, b);
  crypto::kdf3(key, secret, a, b, c);
}

void check_x25519() {
  const crypto::PrivateKey ours = crypto::generate_private_key();
  const crypto::PublicKey theirs = crypto::public_key_of(crypto::generate_private_key());
  make_public(theirs);
  crypto::SharedSecret shared;
  expect(crypto::exchange(ours, theirs, shared), "an exchange");
}

/// Static, ephemeral and preshared keys are secrets from randombytes_buf() on, messages public once they are sent.
void check_handshake() {
  using namespace tunnel;
  Identity ours{crypto::generate_private_key()}, theirs{crypto::generate_private_key()};
  make_public(ours.public_key);
  make_public(theirs.public_key);
  const crypto::PresharedKey preshared = crypto::generate_preshared_key();
  Handshake initiator{theirs.public_key}, responder{ours.public_key};
  initiator.set_preshared_key(preshared);
  responder.set_preshared_key(preshared);

  InitiationMessage initiation{};
  expect(initiator.create_initiation(ours, 1, Timestamp{1}, initiation), "an initiation");
  make_public(initiation);
  const auto opened = open_initiation(theirs, initiation);
  expect(opened.has_value(), "it opens");
  expect(opened->remote_static == ours.public_key, "it is ours");
  expect(responder.consume_initiation(theirs, *opened, initiation, Time{}) == Drop::kNone, "it is consumed");
  ResponseMessage response{};
  expect(responder.create_response(2, response), "a response");
  make_public(response);
  expect(initiator.consume_response(ours, response), "it is consumed");
  const auto session = initiator.begin_session(Time{}), other = responder.begin_session(Time{});
  expect(session->sending == other->receiving && session->receiving == other->sending, "both have the same keys");
}

/// What must be found.
void leak() {
  uint8_t secret = 0;
  crypto::random_bytes({&secret, 1});
  if (secret % 2 == 1) std::printf("odd\n");
}

const std::map<std::string_view, void (*)()> kChecks = {
    {"sodium", [] { check_implementation("sodium"); }},
    {"avx2", [] { check_implementation("avx2"); }},
    {"neon", [] { check_implementation("neon"); }},
    {"single_door", check_single_door},
    {"hashes", check_hashes},
    {"x25519", check_x25519},
    {"handshake", check_handshake},
    {"leak", leak},
};

}  // namespace
}  // namespace adit

int main(int argc, char** argv) {
  if (argc != 2 || !adit::kChecks.contains(argv[1])) return 2;
  adit::kChecks.at(argv[1])();
  return 0;
}
