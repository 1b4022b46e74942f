"""Datagrams from sources that do not exist, and a service that answers them or does not.  Runs inside a namespace:

    spoofer.py flood DEVICE GATEWAY_MAC FIRST_SOURCE TARGET PORT RATE SECONDS
    spoofer.py serve ADDRESS PORT {all,known}

Each datagram of a flood has a source of its own, counted up from FIRST_SOURCE: the next address of IPv4, the next /64
of IPv6.  At the end the number of datagrams is printed.  What begins as those do is not known to the service.
"""

import ipaddress
import socket
import struct
import sys
import time

ETH_P = {4: 0x0800, 6: 0x86DD}
PAYLOAD = b"SPOOFED!" * 4
FIRST_PORT, PORTS = 1024, 60000


def folded(total):
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def words_of(data):
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


class Packets:
    """IP packets with their sums, one after the other."""

    def __init__(self, first_source, target, port):
        first, to = ipaddress.ip_address(first_source), ipaddress.ip_address(target)
        self.version, self.first, self.size, self.port = to.version, int(first), 8 + len(PAYLOAD), port
        self.target = to.packed
        # Twice the UDP length: in the header and in the pseudo-header, which has the protocol, too.
        self.udp_sum = words_of(self.target) + words_of(PAYLOAD) + port + 2 * self.size + socket.IPPROTO_UDP

    def make(self, number):
        port = FIRST_PORT + number * 7919 % PORTS
        if self.version == 4:
            source = struct.pack("!I", self.first + number)
            start = struct.pack("!BBHHHBB", 0x45, 0, 20 + self.size, 0, 0, 64, socket.IPPROTO_UDP)
            header = start + struct.pack("!H", folded(words_of(start + source + self.target))) + source + self.target
        else:
            source = (self.first + (number << 64)).to_bytes(16, "big")
            header = struct.pack("!IHBB", 6 << 28, self.size, socket.IPPROTO_UDP, 64) + source + self.target
        checksum = folded(self.udp_sum + words_of(source) + port) or 0xFFFF
        return header + struct.pack("!HHHH", port, self.port, self.size, checksum) + PAYLOAD


def flood(device, mac, first_source, target, port, rate, seconds):
    packets = Packets(first_source, target, int(port))
    rate, seconds, sent = float(rate), float(seconds), 0
    cable = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    to = (device, ETH_P[packets.version], 0, 0, bytes.fromhex(mac.replace(":", "")))
    begin = time.monotonic()
    while (elapsed := time.monotonic() - begin) < seconds:
        for _ in range(min(int(elapsed * rate) - sent, 200)):
            cable.sendto(packets.make(sent), to)
            sent += 1
        time.sleep(0.0005)
    print(sent)


def serve(address, port, whom):
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    listener.bind((address, int(port)))
    print("ready", flush=True)
    while True:
        payload, source = listener.recvfrom(65535)
        if whom == "all" or not payload.startswith(PAYLOAD):
            listener.sendto(payload, source)


if __name__ == "__main__":
    {"flood": flood, "serve": serve}[sys.argv[1]](*sys.argv[2:])
