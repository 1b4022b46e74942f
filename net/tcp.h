// Where things are in a TCP header (RFC 9293 3.1) and a UDP header (RFC 768).
#pragma once

#include <cstddef>
#include <cstdint>

namespace adit {

inline constexpr uint8_t kProtocolTcp = 6;
inline constexpr size_t kTcpHeaderSize = 20;  // without options
inline constexpr size_t kTcpSequenceAt = 4;
inline constexpr size_t kTcpAcknowledgmentAt = 8;
inline constexpr size_t kTcpFlagsAt = 13;
inline constexpr size_t kTcpChecksumAt = 16;

inline constexpr uint8_t kTcpFin = 0x01;
inline constexpr uint8_t kTcpPsh = 0x08;
inline constexpr uint8_t kTcpAck = 0x10;
inline constexpr uint8_t kTcpEce = 0x40;
inline constexpr uint8_t kTcpCwr = 0x80;

inline constexpr size_t kUdpLengthAt = 4;
inline constexpr size_t kUdpChecksumAt = 6;

/// With options, as the header says; at least its fixed part must be there.
inline size_t tcp_header_size(const uint8_t* tcp) noexcept { return (size_t{tcp[12]} >> 4) * 4; }

}  // namespace adit
