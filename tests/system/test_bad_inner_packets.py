"""Inner packets that nobody honest sends, from a home that has the keys."""

import socket
import struct
import unittest

import factorio


def ones_complement_sum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def udp_over_ipv4(
    source, destination, payload, total_length=None, udp_length=None, bad_checksum=False, header_length=5
):
    """An inner packet; lengths are what it claims, right ones where none are given."""
    (source_host, source_port), (destination_host, destination_port) = source, destination
    addresses = socket.inet_aton(source_host) + socket.inet_aton(destination_host)
    size = 8 + len(payload)
    claimed = size if udp_length is None else udp_length
    udp = struct.pack(">HHHH", source_port, destination_port, claimed, 0) + payload
    checksum = 0xFFFF ^ ones_complement_sum(addresses + struct.pack(">HH", 17, claimed) + udp)
    udp = udp[:6] + struct.pack(">H", (checksum ^ (0x5555 if bad_checksum else 0)) or 0xFFFF) + payload
    total = 20 + size if total_length is None else total_length
    header = struct.pack(">BBHHHBBH", 0x40 | header_length, 0, total, 0, 0, 64, 17, 0) + addresses
    return header[:10] + struct.pack(">H", 0xFFFF ^ ones_complement_sum(header)) + header[12:] + udp


def udp_over_ipv6(source, destination, payload, payload_length=None):
    (source_host, source_port), (destination_host, destination_port) = source, destination
    addresses = socket.inet_pton(socket.AF_INET6, source_host) + socket.inet_pton(socket.AF_INET6, destination_host)
    size = 8 + len(payload)
    udp = struct.pack(">HHHH", source_port, destination_port, size, 0) + payload
    checksum = 0xFFFF ^ ones_complement_sum(addresses + struct.pack(">II", size, 17) + udp)
    udp = udp[:6] + struct.pack(">H", checksum or 0xFFFF) + payload
    length = size if payload_length is None else payload_length
    return struct.pack(">IHBB", 0x60000000, length, 17, 64) + addresses + udp


class InnerPackets(factorio.FactorioTest):
    """Home's wireguard-go seals whatever the interface is given; a packet socket gives it packets that lie."""

    ETH_P_IP, ETH_P_IPV6 = 0x0800, 0x86DD

    def setUp(self):
        super().setUp()
        self.gateway = self.start_everything()
        self.one = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        self.assertEqual(self.one.ask(b"before"), b"before")
        self.player6 = self.player(self.players, self.PUBLIC[0], self.SERVICE6[1])
        self.assertEqual(self.player6.ask(b"before"), b"before")
        flows = {host: (host, port) for host, port in self.service.sources}
        self.flow, self.flow6 = flows["10.1.2.5"], flows["fd00:1:2::5"]
        self.interface = self.home.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.addCleanup(self.interface.close)

    def send_inner(self, packet):
        protocol = self.ETH_P_IPV6 if packet[0] >> 4 == 6 else self.ETH_P_IP
        self.interface.sendto(packet, ("wg0", protocol))

    def expect_tunnel_works(self):
        self.assertEqual(self.one.ask(b"still here"), b"still here")

    def expect_inner(self, reason, *packets):
        self.expect_drops(lambda: [self.send_inner(packet) for packet in packets], {reason: len(packets)})

    def test_that_are_right_reach_the_player(self):
        self.send_inner(udp_over_ipv4(self.SERVICE, self.flow, b"hello"))
        self.assertEqual(self.one.receive(), b"hello")
        self.send_inner(udp_over_ipv6(self.SERVICE6, self.flow6, b"hello"))
        self.assertEqual(self.player6.receive(), b"hello")
        self.assertEqual(self.gateway.drops(), {})

    def test_that_are_shorter_than_they_say(self):
        self.expect_inner(
            "bad_ip_length",
            udp_over_ipv4(self.SERVICE, self.flow, b"hello", total_length=100),
            udp_over_ipv4(self.SERVICE, self.flow, b"hello", total_length=65535),
            udp_over_ipv4(self.SERVICE, self.flow, b"hello", total_length=19),
            udp_over_ipv4(self.SERVICE, self.flow, b"hello", total_length=0),
            udp_over_ipv6(self.SERVICE6, self.flow6, b"hello", payload_length=100),
            udp_over_ipv6(self.SERVICE6, self.flow6, b"hello", payload_length=65535),
        )
        self.expect_tunnel_works()

    def test_whose_udp_length_lies(self):
        self.expect_inner(
            "bad_udp_length",
            *(udp_over_ipv4(self.SERVICE, self.flow, b"hello", udp_length=length) for length in (0, 7, 14, 100, 65535)),
        )
        self.expect_tunnel_works()

    def test_whose_checksum_is_wrong(self):
        self.expect_inner("bad_checksum", udp_over_ipv4(self.SERVICE, self.flow, b"hello", bad_checksum=True))
        self.expect_tunnel_works()

    def test_from_addresses_that_are_not_homes(self):
        self.expect_inner(
            "wrong_source",
            udp_over_ipv4(("10.1.2.5", 34197), self.flow, b"hello"),
            udp_over_ipv4(("10.1.2.3", 34197), self.flow, b"hello"),
            udp_over_ipv4(("203.0.113.10", 34197), self.flow, b"hello"),
            udp_over_ipv6(("fd00:1:2::3", 34198), self.flow6, b"hello"),
            udp_over_ipv6(("::1", 34198), self.flow6, b"hello"),
        )
        # An IPv4 address in IPv6's clothes must not pass for home's.
        self.expect_inner("not_ip", udp_over_ipv6(("::ffff:10.1.2.2", 34197), self.flow6, b"hello"))
        self.expect_tunnel_works()

    def test_that_are_odd_but_right_are_left_to_the_kernel(self):
        for packet in (
            udp_over_ipv4(self.SERVICE, self.flow, b"hello", header_length=4),
            udp_over_ipv4(self.SERVICE, self.flow, b"hello", header_length=15),
            udp_over_ipv4(self.SERVICE, self.flow, b"", total_length=27),
            udp_over_ipv4(self.SERVICE, (self.flow[0], self.flow[1] ^ 1), b"not a flow"),
        ):
            self.send_inner(packet)
        self.expect_tunnel_works()
        self.assertEqual(self.gateway.drops(), {})
        self.assertEqual(self.gateway.forward("factorio")["packets_out"], 2)


if __name__ == "__main__":
    unittest.main()
