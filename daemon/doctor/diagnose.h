// From facts to findings.  Pure: no clock, no file, no socket.
//
// A packet's way is followed until it breaks: what lies behind a break cannot be known and is not complained about, so
// that one fault is one finding.
#pragma once

#include "daemon/doctor/diagnosis.h"
#include "daemon/doctor/facts.h"

namespace adit::doctor {

Diagnosis diagnose(const Facts& facts);

// Its parts, in the order of the way; each adds to `diagnosis`.

/// Why no gateway runs.
void diagnose_start(const Facts& facts, Diagnosis& diagnosis);

/// Whether a peer is there: `kUnknown` when nothing was sent to it and nothing had to come.
enum class Life : uint8_t { kAlive, kDead, kUnknown };
Life life_of(const Facts& facts, size_t peer);
/// Why a dead peer is, and whether a live one is about to be.
void diagnose_handshake(const Facts& facts, size_t peer, Life life, Diagnosis& diagnosis);

/// Of a live peer: true when packets come back from behind its tunnel.
bool diagnose_tunnel(const Facts& facts, size_t peer, Diagnosis& diagnosis);
void diagnose_services(const Facts& facts, size_t peer, Diagnosis& diagnosis);

/// Of all forwards.
void diagnose_players(const Facts& facts, Diagnosis& diagnosis);

}  // namespace adit::doctor
