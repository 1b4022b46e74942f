"""Datagrams that nobody honest sends to the tunnel's port.  Each is one counted drop under its own name, and the tunnel
works on."""

import base64
import collections
import contextlib
import hashlib
import os
import random
import selectors
import socket
import struct
import threading
import unittest

import factorio
import lab

INITIATION, RESPONSE, COOKIE_REPLY, DATA = 1, 2, 3, 4
SIZES = {INITIATION: 148, RESPONSE: 92, COOKIE_REPLY: 64}


def type_of(datagram):
    return datagram[0]


def flipped(datagram, byte, bit=0):
    changed = bytearray(datagram)
    changed[byte] ^= 1 << bit
    return bytes(changed)


def with_mac1(message, public_key):
    """A handshake message with the mac1 that makes the owner of the public key look at it."""
    key = hashlib.blake2s(b"mac1----" + public_key).digest()
    before_macs = message[:-32]
    return before_macs + hashlib.blake2s(before_macs, key=key, digest_size=16).digest() + message[-16:]


def message_of(kind, size):
    return (struct.pack("<I", kind) + os.urandom(size))[:size]


class Relay:
    """Stands between home and the gateway: passes datagrams on, remembers them, and can hold some back."""

    INSIDE = ("127.0.0.1", 5000)  # what home takes for the gateway
    OUTSIDE = ("198.51.100.2", 5000)  # what the gateway takes for home

    def __init__(self, node, gateway, home_port):
        self.inside, self.outside = node.socket(socket.AF_INET), node.socket(socket.AF_INET)
        self.inside.bind(self.INSIDE)
        self.outside.bind(self.OUTSIDE)
        self.gateway, self.home = gateway, ("127.0.0.1", home_port)
        self.to_gateway, self.to_home = [], []
        self.held_type, self.held = None, []
        self.end, self.wake = socket.socketpair()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        selector = selectors.DefaultSelector()
        with selector:
            for each in (self.inside, self.outside, self.end):
                selector.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self.end:
                        return
                    with contextlib.suppress(OSError):
                        self._pass_on(key.fileobj)

    def _pass_on(self, side):
        datagram, _ = side.recvfrom(65535)
        if side is self.outside:
            self.to_home.append(datagram)
            self.inside.sendto(datagram, self.home)
            return
        if type_of(datagram) == self.held_type:
            self.held.append(datagram)
            return
        self.to_gateway.append(datagram)
        self.send(datagram)

    def send(self, datagram):
        self.outside.sendto(datagram, self.gateway)

    def first(self, datagrams, kind):
        def seen():
            return next((each for each in datagrams if type_of(each) == kind), None)

        return lab.wait_until(seen, f"a datagram of type {kind}")

    def close(self):
        self.wake.close()
        self.thread.join(lab.GENEROUS)
        for each in (self.inside, self.outside, self.end):
            each.close()


class BadInputTest(factorio.FactorioTest):
    GATEWAY = ("198.51.100.1", 342)

    def start_relay(self):
        self.relay = Relay(self.home, self.GATEWAY, home_port=342)
        self.addCleanup(self.relay.close)

    def start(self):
        """Home calls the gateway through the relay."""
        self.start_relay()
        self.gateway = self.start_gateway()
        self.start_home(endpoint="%s:%d" % Relay.INSIDE)
        self.gateway.wait_for_handshake()
        self.start_playing()

    def start_with_gateway_calling(self):
        """The gateway calls home through the relay; home's first answer is held back until release()."""
        self.start_relay()
        self.relay.held_type = RESPONSE
        self.gateway = self.start_gateway(peer={"endpoint": "%s:%d" % Relay.OUTSIDE})
        self.start_home(endpoint=None, keepalive=0)
        self.service = self.start_service()
        self.one = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        self.one.send(b"begin")
        return lab.wait_until(lambda: next(iter(self.relay.held), None), "home's response")

    def start_playing(self):
        self.service = self.start_service()
        self.one = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        self.assertEqual(self.one.ask(b"before"), b"before")

    def expect_each(self, pairs):
        """Sends (datagram, reason) pairs from home's address, and expects these drops."""
        pairs = list(pairs)
        self.expect_drops(
            lambda: [self.relay.send(datagram) for datagram, _ in pairs],
            collections.Counter(reason for _, reason in pairs),
        )

    def expect_tunnel_works(self):
        self.assertEqual(self.one.ask(b"still here"), b"still here")


class Datagrams(BadInputTest):
    def test_of_no_type_or_a_wrong_length(self):
        self.start()
        pairs = [(b"", "bad_length"), (b"\1", "bad_length"), (b"\4\0\0", "bad_length")]
        for kind in (0, 5, 6, 0x80, 0xFF, 0x0104, 0x01000001, 0x04000000):
            pairs += [(message_of(kind, size), "bad_type") for size in (4, 148, 1400)]
        for kind, size in SIZES.items():
            pairs += [(message_of(kind, other), "bad_length") for other in (4, size - 1, size + 1, size + 16, 1400)]
        pairs += [(message_of(DATA, size), "bad_length") for size in (4, 15, 16, 31)]
        pairs += [(message_of(DATA, size), "unknown_index") for size in (32, 33, 1452, 1500)]
        self.expect_each(pairs)
        self.expect_tunnel_works()

    def test_of_any_type_up_to_the_largest_there_are(self):
        self.start()
        self.expect_each(
            (message_of(kind, size), "truncated_read") for kind in (0, 1, 2, 3, 4, 255) for size in (2000, 9000, 65507)
        )
        self.expect_tunnel_works()

    def test_at_random_from_anywhere(self):
        self.start()
        chance = random.Random(1)
        strangers = []
        for address in (*self.PUBLIC, *self.SECOND_PUBLIC):
            stranger = self.players.socket(lab.family_of(address))
            self.addCleanup(stranger.close)
            stranger.connect((address, self.TUNNEL_PORT))
            strangers.append(stranger)
        before = self.gateway.drops()
        sent = 0
        for _ in range(10):
            for _ in range(100):
                size = chance.choice((*map(chance.randrange, (40, 200, 1500)), *SIZES.values()))
                head = struct.pack("<I", chance.randrange(6)) if chance.random() < 0.8 else b""
                chance.choice(strangers).send((head + chance.randbytes(size))[:size])
                sent += 1
            lab.wait_until(lambda: sum(self.gateway.drops().values()) - sum(before.values()) >= sent, f"{sent} drops")
        drops = self.gateway.drops()
        self.assertEqual(sum(drops.values()) - sum(before.values()), sent)
        self.assertLessEqual(drops.keys(), {"bad_type", "bad_length", "bad_mac", "unknown_index"})
        self.expect_tunnel_works()


class Initiations(BadInputTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.initiation = self.relay.first(self.relay.to_gateway, INITIATION)

    def test_that_are_replayed(self):
        self.expect_each([(self.initiation, "replayed_initiation")] * 20)
        self.expect_tunnel_works()

    def test_that_are_replayed_from_elsewhere_do_not_move_the_endpoint(self):
        before = self.gateway.peer()
        for address in self.PUBLIC:
            with self.players.socket(lab.family_of(address)) as thief:
                self.expect_drops(
                    lambda: thief.sendto(self.initiation, (address, self.TUNNEL_PORT)), {"replayed_initiation": 1}
                )
        self.assertEqual(self.gateway.peer()["endpoint"], before["endpoint"])
        self.assertEqual(self.gateway.peer()["latest_handshake"], before["latest_handshake"])
        self.expect_tunnel_works()

    def test_with_a_bit_flipped_in_any_byte(self):
        def reason(byte):
            if byte < 4:
                return "bad_type"
            return "bad_mac" if byte < 132 else "replayed_initiation"  # mac2 is looked at under load only

        self.expect_each((flipped(self.initiation, byte, 7), reason(byte)) for byte in range(148))
        self.expect_tunnel_works()

    def test_with_a_bit_flipped_and_a_right_mac_are_forged(self):
        # The sender index, bytes 4 to 7, is the one thing that Noise does not cover.
        places = range(8, 116, 3)
        key = base64.b64decode(self.vps_keys.public)
        self.expect_each((with_mac1(flipped(self.initiation, byte), key), "forged_handshake") for byte in places)
        self.expect_tunnel_works()

    def test_cut_short_or_made_longer(self):
        self.expect_each(
            [(self.initiation[:size], "bad_length") for size in range(148)]
            + [(self.initiation + bytes(more), "bad_length") for more in (1, 16, 1000)]
        )
        self.expect_tunnel_works()


class Responses(BadInputTest):
    def test_that_are_forged_do_not_spoil_the_handshake(self):
        response = self.start_with_gateway_calling()
        key = base64.b64decode(self.vps_keys.public)
        # Bytes 8 to 11 say which handshake is meant; behind them everything is covered but mac2.
        self.expect_each(
            [(flipped(response, byte), "bad_mac") for byte in range(4, 76)]
            + [(with_mac1(flipped(response, byte), key), "unknown_index") for byte in range(8, 12)]
            + [(with_mac1(flipped(response, byte), key), "forged_handshake") for byte in range(12, 60, 3)]
        )
        self.assertIsNone(self.gateway.peer()["latest_handshake"])
        self.relay.send(response)
        self.gateway.wait_for_handshake()
        self.assertEqual(self.one.receive(), b"begin")
        self.expect_tunnel_works()

    def test_that_are_replayed(self):
        response = self.start_with_gateway_calling()
        self.relay.send(response)
        self.assertEqual(self.one.receive(), b"begin")
        self.expect_each([(response, "unknown_index")] * 20)
        self.expect_tunnel_works()


class CookieReplies(BadInputTest):
    def test_that_nobody_asked_for(self):
        self.start()
        response = self.relay.first(self.relay.to_home, RESPONSE)
        our_index = response[4:8]
        self.expect_each(
            [(message_of(COOKIE_REPLY, 64), "unknown_index")] * 5
            + [(struct.pack("<I", COOKIE_REPLY) + our_index + os.urandom(56), "bad_cookie")] * 5
        )
        self.expect_tunnel_works()


class Data(BadInputTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.data = next(each for each in self.relay.to_gateway if type_of(each) == DATA and len(each) > 32)

    def test_that_is_replayed(self):
        answers = self.gateway.forward("factorio")["packets_out"]
        everything = [each for each in self.relay.to_gateway if type_of(each) == DATA]
        self.expect_each([(each, "replayed") for each in everything * 3])
        self.assertEqual(self.gateway.forward("factorio")["packets_out"], answers)
        self.expect_tunnel_works()

    def test_that_is_replayed_from_elsewhere_does_not_move_the_endpoint(self):
        before = self.gateway.peer()["endpoint"]
        for address in self.PUBLIC:
            with self.players.socket(lab.family_of(address)) as thief:
                self.expect_drops(lambda: thief.sendto(self.data, (address, self.TUNNEL_PORT)), {"replayed": 1})
        self.assertEqual(self.gateway.peer()["endpoint"], before)
        self.expect_tunnel_works()

    def test_with_a_bit_flipped_in_any_byte(self):
        def reason(byte):
            if byte < 4:
                return "bad_type"
            return "unknown_index" if byte < 8 else "forged"

        self.expect_each((flipped(self.data, byte, 7), reason(byte)) for byte in range(len(self.data)))
        self.expect_tunnel_works()

    def test_cut_short_or_made_longer(self):
        self.expect_each(
            [(self.data[:size], "bad_length") for size in range(32)]
            + [(self.data[:size], "forged") for size in range(32, len(self.data))]
            + [(self.data + bytes(more), "forged") for more in (1, 16, 1000)]
        )
        self.expect_tunnel_works()


if __name__ == "__main__":
    unittest.main()
