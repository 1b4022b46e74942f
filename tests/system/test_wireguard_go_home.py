"""Home runs wireguard-go as it is, configured as its users do; adit has taken the VPS's place."""

import random
import socket
import unittest

import factorio
import lab

LARGEST_V4 = 1420 - 28  # what fits one tunnel packet: MTU less IPv4 and UDP headers
LARGEST_V6 = 1420 - 48


def payload_of(size):
    return random.Random(size).randbytes(size)


class DatagramsComeBack(factorio.FactorioTest):
    def ask_every_size(self, player, sizes, window=32):
        """Sends datagrams of these sizes, `window` at a time, and expects each back unchanged."""
        sizes = list(sizes)
        for at in range(0, len(sizes), window):
            some = sizes[at : at + window]
            for size in some:
                player.send(payload_of(size))
            for size in some:
                self.assertEqual(player.receive(), payload_of(size), f"{size} bytes")

    def test_of_chosen_sizes_one_by_one_from_ipv4_and_ipv6_players(self):
        self.start_everything()
        for address in self.PUBLIC:
            for connected in (True, False):
                player = self.player(self.players, address, self.SERVICE[1], connected)
                for size in (0, 1, 2, 15, 16, 17, 31, 32, 33, 500, 1371, 1372, LARGEST_V4):
                    with self.subTest(address=address, connected=connected, size=size):
                        self.assertEqual(player.ask(payload_of(size)), payload_of(size))

    def test_of_every_size_there_is_from_ipv4_and_ipv6_players(self):
        self.start_everything()
        for address in self.PUBLIC:
            with self.subTest(address=address):
                self.ask_every_size(self.player(self.players, address, self.SERVICE[1]), range(LARGEST_V4 + 1))

    def test_of_every_size_there_is_from_an_ipv6_service(self):
        self.start_everything()
        for address in self.PUBLIC:
            with self.subTest(address=address):
                self.ask_every_size(self.player(self.players, address, self.SERVICE6[1]), range(LARGEST_V6 + 1))

    def test_from_the_address_and_port_that_were_asked(self):
        self.start_everything()
        for address in self.PUBLIC + self.SECOND_PUBLIC:
            for _, port in (self.SERVICE, self.SERVICE6):
                for connected in (True, False):
                    with self.subTest(address=address, port=port, connected=connected):
                        player = self.player(self.players, address, port, connected)
                        self.assertEqual(player.ask(b"which one?"), b"which one?")

    def test_to_the_socket_of_one_player_from_each_of_the_addresses_it_asks(self):
        self.start_everything()
        for addresses in zip(self.PUBLIC, self.SECOND_PUBLIC):
            one = self.players.socket(lab.family_of(addresses[0]))
            self.addCleanup(one.close)
            one.settimeout(lab.GENEROUS)
            for address in addresses * 2:
                one.sendto(b"hello", (address, self.SERVICE[1]))
                answer, source = one.recvfrom(100)
                self.assertEqual((answer, source[:2]), (b"hello", (address, self.SERVICE[1])))

    def test_and_the_service_sees_the_gateways_tunnel_address(self):
        self.start_everything()
        for address in self.PUBLIC:
            for _, port in (self.SERVICE, self.SERVICE6):
                self.player(self.players, address, port).ask(b"hello")
        self.assertEqual({source for source, _ in self.service.sources}, {"10.1.2.5", "fd00:1:2::5"})
        self.assertEqual(len(self.service.sources), 4, "each player has a port of its own")

    def test_to_each_of_sixteen_players_only_its_own(self):
        gateway = self.start_everything()
        players = [self.player(self.players, address, self.SERVICE[1]) for address in self.PUBLIC * 8]
        for turn in range(50):
            for number, player in enumerate(players):
                player.send(f"player {number}, turn {turn}".encode())
            for number, player in enumerate(players):
                self.assertEqual(player.receive(), f"player {number}, turn {turn}".encode())
        factorio = gateway.forward("factorio")
        self.assertEqual(factorio["flows"], 16)
        self.assertEqual((factorio["packets_in"], factorio["packets_out"]), (16 * 50, 16 * 50))
        self.assertEqual(len(self.service.sources), 16)

    def test_and_what_does_not_fit_a_tunnel_packet_goes_in_fragments(self):
        gateway = self.start_everything()
        for name, (_, port), largest in (
            ("factorio", self.SERVICE, LARGEST_V4),
            ("factorio6", self.SERVICE6, LARGEST_V6),
        ):
            player = self.player(self.players, self.PUBLIC[0], port)
            sizes = (largest + 1, largest + 2, largest + 21, 1472, 2000, 9000, 65507)
            self.ask_every_size(player, sizes, window=4)
            self.ask_every_size(self.player(self.players, self.PUBLIC[1], port), sizes, window=4)
            forward = gateway.forward(name)
            self.assertEqual((forward["packets_in"], forward["packets_out"]), (14, 14))
        self.assertEqual(gateway.drops(), {})
        self.assertEqual(self.service.received, 28)


class Limits(factorio.FactorioTest):
    def start(self, **forward):
        self.gateway = self.start_gateway(forward=forward)
        self.start_home()
        self.service = self.start_service()
        self.gateway.wait_for_handshake()

    def test_of_who_may_play_are_kept(self):
        self.start(**{"from": ["203.0.113.0/24", "!203.0.113.66/32"]})
        self.players.add_address("eth0", "203.0.113.66/24")
        target = self.PUBLIC[0], self.SERVICE[1]
        self.assertEqual(self.player(self.players, *target).ask(b"hello"), b"hello")
        for stranger in (
            self.player(self.players, *target, source="203.0.113.66"),
            self.player(self.players, self.PUBLIC[1], self.SERVICE[1]),
        ):
            self.assertFalse(stranger.is_answered())
        self.assertEqual(self.gateway.drops(), {"not_allowed": 2})
        self.assertEqual(self.service.received, 1)

    def establish(self, player):
        for _ in range(2):  # who has sent to an answer cannot be pushed out
            self.assertEqual(player.ask(b"hello"), b"hello")

    def test_of_how_many_may_play_are_kept(self):
        self.start(max_flows=3, max_flows_per_source=2)
        v4, v6 = ([self.player(self.players, address, self.SERVICE[1]) for _ in range(3)] for address in self.PUBLIC)
        admitted = v4[:2] + v6[:1]
        for player in v4[:2]:
            self.establish(player)
        self.assertFalse(v4[2].is_answered())
        self.establish(v6[0])
        for player in v6[1:]:
            self.assertFalse(player.is_answered())
        self.assertEqual(self.gateway.drops(), {"source_flows_full": 1, "flow_table_full": 2})
        for player in admitted:
            self.assertEqual(player.ask(b"still here"), b"still here")

    def test_of_idleness_give_room_to_others(self):
        self.start(max_flows=1, idle_timeout="1s")
        one, other = (self.player(self.players, self.PUBLIC[0], self.SERVICE[1]) for _ in range(2))
        self.establish(one)
        self.assertFalse(other.is_answered(timeout=0.1))
        lab.wait_until(lambda: self.gateway.forward("factorio")["flows"] == 0, "the first player is forgotten")
        self.assertEqual(other.ask(b"hello"), b"hello")


class TheTunnelRecovers(factorio.FactorioTest):
    def setUp(self):
        super().setUp()
        self.gateway = self.start_everything()
        self.one = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        self.assertEqual(self.one.ask(b"before"), b"before")

    def test_when_home_is_killed_and_started_again(self):
        self.home_end.kill()
        self.service.close()
        lab.wait_until(lambda: not self.home.has_interface("wg0"), "home's interface is gone")
        self.assertFalse(self.one.is_answered())
        self.start_home()
        self.service = self.start_service()
        lab.wait_until(self.one.is_answered, "an answer after home came back")

    def test_when_the_gateway_is_killed_and_started_again_knowing_where_home_is(self):
        self.gateway.kill()
        self.start_gateway(peer={"endpoint": "198.51.100.2:342"})
        lab.wait_until(self.one.is_answered, "an answer after the gateway came back")

    def test_when_the_gateway_is_killed_and_started_again_once_home_misses_an_answer(self):
        self.gateway.kill()
        self.start_gateway()
        # WireGuard's own rule: 15 s without an answer to data, and home calls again.
        with self.home.socket(socket.AF_INET) as asking:
            asking.sendto(b"anybody there?", ("10.1.2.5", 9))
        lab.wait_until(self.one.is_answered, "an answer after the gateway came back", timeout=30)

    def test_when_home_moves_to_another_address_and_port(self):
        flows = self.gateway.forward("factorio")["flows_opened"]
        self.home.ip("addr", "del", "198.51.100.2/24", "dev", "eth0")
        self.home.add_address("eth0", "198.51.100.77/24")
        self.home.run("wg", "set", "wg0", "listen-port", "4343", check=True)
        lab.wait_until(self.one.is_answered, "an answer from home's new address")
        self.assertEqual(self.gateway.peer()["endpoint"], "198.51.100.77:4343")
        self.assertEqual(self.gateway.forward("factorio")["flows_opened"], flows, "the player keeps its flow")


class Secrets(factorio.FactorioTest):
    def start(self, gateway={}, **home):
        self.gateway = self.start_gateway(peer=gateway)
        self.start_home(**home)
        self.service = self.start_service()
        self.one = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])

    def expect_nothing_gets_through(self):
        self.assertFalse(self.one.is_answered())
        self.assertIsNone(self.gateway.peer()["latest_handshake"])
        self.assertEqual(self.service.received, 0)

    def psk(self):
        return lab.run("wg", "genpsk", check=True).stdout.strip()

    def test_that_both_know_open_the_tunnel(self):
        psk = self.psk()
        self.start({"preshared_key": psk}, psk=psk)
        self.gateway.wait_for_handshake()
        self.assertEqual(self.one.ask(b"hello"), b"hello")

    def test_a_preshared_key_that_differs_is_unconfirmed(self):
        self.start({"preshared_key": self.psk()}, psk=self.psk())
        self.gateway.wait_for_drop("unconfirmed")  # with home's second attempt, 5 s after the first
        self.expect_nothing_gets_through()

    def test_a_preshared_key_only_the_gateway_has_is_a_forged_handshake_when_the_gateway_begins(self):
        self.start({"preshared_key": self.psk(), "endpoint": "198.51.100.2:342"}, keepalive=0, endpoint=None)
        self.assertFalse(self.one.is_answered())  # the gateway wants a session for it
        self.gateway.wait_for_drop("forged_handshake")
        self.expect_nothing_gets_through()

    def test_a_home_whose_key_the_gateway_does_not_know_is_an_unknown_peer(self):
        self.start({"public_key": lab.Keys().public})
        self.gateway.wait_for_drop("unknown_peer")
        self.expect_nothing_gets_through()

    def test_a_home_that_knows_another_gateways_key_has_a_bad_mac(self):
        self.start(vps_key=lab.Keys().public)
        self.gateway.wait_for_drop("bad_mac")
        self.expect_nothing_gets_through()

    def test_an_inner_source_outside_of_the_allowed_ips_is_a_wrong_source(self):
        self.start(addresses=("10.1.2.2/24", "10.1.2.9/24", "fd00:1:2::2/64"))
        self.gateway.wait_for_handshake()
        with self.home.socket(socket.AF_INET) as stranger, self.vps.socket(socket.AF_INET) as listener:
            listener.bind(("10.1.2.5", 5000))
            listener.settimeout(0.3)
            stranger.bind(("10.1.2.9", 0))
            stranger.sendto(b"let me in", ("10.1.2.5", 5000))
            self.gateway.wait_for_drop("wrong_source")
            self.assertRaises(TimeoutError, listener.recv, 100)
        self.assertEqual(self.gateway.drops(), {"wrong_source": 1})
        self.assertEqual(self.one.ask(b"hello"), b"hello")


if __name__ == "__main__":
    unittest.main()
