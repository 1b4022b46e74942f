"""Services that see their clients' own addresses (source = "keep"): home does what `adit show --home-routes` prints."""

import contextlib
import unittest

import factorio
import lab

BEHIND, BEHIND6 = ("10.1.3.2", 5000), ("fd00:1:3::2", 5000)


def keep(name, listen, to, **keys):
    return ("[[forward]]", {"name": name, "listen": listen, "to": to, "source": "keep"} | keys)


class KeepTest(factorio.FactorioTest):
    def gateway_config(self, *more):
        return lab.toml(
            ("[interface]", {
                "name": "wg0",
                "private_key": self.vps_keys.private,
                "listen_port": self.TUNNEL_PORT,
                "addresses": ["10.1.2.5/24", "fd00:1:2::5/64"],
            }),
            ("[[peer]]", {
                "name": "home",
                "public_key": self.home_keys.public,
                "allowed_ips": ["10.1.2.2/32", "fd00:1:2::2/128", "10.1.3.0/24", "fd00:1:3::/64"],
            }),
            *(more or (
                keep("factorio", "0.0.0.0:34197", "10.1.2.2:34197"),
                keep("factorio6", "[::]:34197", "[fd00:1:2::2]:34197"),
                keep("steam", "0.0.0.0:27015-27018", "10.1.2.2:28015-28018"),
            )),
        )

    def home_config(self, **changes):
        lines = super().home_config(**changes)
        return lines.replace("AllowedIPs = 10.1.2.5/32, fd00:1:2::5/128", "AllowedIPs = 0.0.0.0/0, ::/0")

    def setUp(self):
        super().setUp()
        # Home has a way to the internet of its own, as every home has, and that is not how answers must go.
        self.home.ip("route", "add", "default", "via", "198.51.100.1")
        self.home.ip("route", "add", "default", "via", "2001:db8:2::1")
        self.players.add_address("eth0", "203.0.113.11/24", "2001:db8:1::11/64")

    def printed(self):
        return self.vps.run(lab.ADIT, "show", "--home-routes", "wg0", check=True).stdout.splitlines()

    def start(self, *forwards):
        self.gateway = self.keep(factorio.Gateway(self.vps, self.gateway_config(*forwards)))
        self.start_home()
        self.gateway.wait_for_handshake()

    def obey(self):
        """Runs at home what is printed for Linux."""
        commands = [line.split() for line in self.printed() if line.startswith("ip ")]
        self.assertTrue(commands)
        for words in commands:
            self.home.run(*words, check=True)

    def expect_own_addresses(self, service, port):
        """Two players of each IP version come from one port and two addresses, and are seen there and answered."""
        expected = set()
        players = []
        for target, sources in zip(self.PUBLIC, (("203.0.113.10", "203.0.113.11"),
                                                 ("2001:db8:1::10", "2001:db8:1::11"))):
            one_port = None
            for source in sources:
                player = factorio.Player(self.players, target, port, connected=False)
                self.addCleanup(player.close)
                player.socket.bind((source, one_port or 0))
                one_port = player.socket.getsockname()[1]
                expected.add((source, one_port))
                players.append((player, f"from {source}".encode()))
        for _ in range(3):
            for player, text in players:
                player.send(text)
            for player, text in players:
                self.assertEqual(player.receive(), text)
        self.assertEqual(service.sources, expected)


    def is_answered_at_length(self, player):
        with contextlib.suppress(TimeoutError):
            return player.ask(bytes(9000), 0.5) == bytes(9000)
        return False


class Keep(KeepTest):
    def test_shows_a_service_its_clients_addresses(self):
        self.start()
        self.obey()
        self.expect_own_addresses(self.echo(self.home, ("10.1.2.2", 34197), ("fd00:1:2::2", 34197)), 34197)
        for name in ("factorio", "factorio6"):
            self.assertEqual(self.gateway.forward(name)["drops"], {})
        self.assertEqual(self.gateway.forward("factorio")["flows"], 2)
        self.assertEqual(self.gateway.forward("factorio6")["flows_established"], 2)

    def test_shows_them_to_a_service_that_listens_everywhere_too(self):
        self.start()
        self.obey()
        self.home.run("sysctl", "-qw", "net.ipv6.bindv6only=1", check=True)
        self.expect_own_addresses(self.echo(self.home, ("0.0.0.0", 34197), ("::", 34197)), 34197)

    def test_carries_datagrams_in_fragments(self):
        self.start()
        self.obey()
        service = self.echo(self.home, ("10.1.2.2", 34197), ("fd00:1:2::2", 34197))
        for address in self.PUBLIC:
            player = self.player(self.players, address, 34197)
            for size in (1393, 1472, 9000, 65000):
                self.assertEqual(player.ask(bytes(size)), bytes(size))
        self.assertEqual(service.received, 8)

    def test_leaves_players_in_homes_own_network_alone(self):
        self.start()
        self.obey()
        self.echo(self.home, ("0.0.0.0", 34197))
        # The VPS stands for a machine beside home.
        self.assertEqual(self.player(self.vps, "198.51.100.2", 34197).ask(b"hello"), b"hello")

    def test_of_a_shifted_range_leads_each_port_to_its_own(self):
        self.start()
        self.obey()
        services = [self.echo(self.home, ("10.1.2.2", 28015 + number)) for number in range(4)]
        for number, service in enumerate(services):
            player = self.player(self.players, self.PUBLIC[0], 27015 + number)
            self.assertEqual(player.ask(b"hello"), b"hello")
            self.assertEqual(service.sources, {player.socket.getsockname()})

    def test_holds_with_strict_reverse_paths(self):
        self.start()
        self.obey()
        for name in ("all", "wg0"):
            self.home.run("sysctl", "-qw", f"net.ipv4.conf.{name}.rp_filter=1", check=True)
        service = self.echo(self.home, ("10.1.2.2", 34197))
        player = self.player(self.players, self.PUBLIC[0], 34197)
        self.assertEqual(player.ask(b"hello"), b"hello")
        self.assertEqual(service.sources, {player.socket.getsockname()})

    def test_needs_what_is_printed(self):
        self.start()
        service = self.echo(self.home, ("10.1.2.2", 34197))
        player = self.player(self.players, self.PUBLIC[0], 34197)
        self.assertFalse(player.is_answered())
        self.assertEqual(service.received, 1)
        self.obey()
        self.assertTrue(player.is_answered())

    def test_hears_that_a_service_is_gone_if_errors_are_sent_there_too(self):
        self.start()
        self.obey()
        errors = [line[1:].split() for line in self.printed() if line.startswith("#   ip ") and "icmp" in line]
        self.assertEqual(len(errors), 2)
        for words in errors:
            self.home.run(*words, check=True)
        for name, address in zip(("factorio", "factorio6"), self.PUBLIC):
            self.assertFalse(self.player(self.players, address, 34197).is_answered(0.1))
            lab.wait_until(lambda: not self.gateway.forward(name)["service_is_reachable"], "unreachable")

    def test_reaches_a_machine_behind_home(self):
        self.start(
            keep("jail", "0.0.0.0:5000", "10.1.3.2:5000"),
            keep("jail6", "[::]:5000", "[fd00:1:3::2]:5000"),
        )
        jail = self.node("jail")
        lab.cable(self.home, "eth1", jail, "eth0")
        self.home.add_address("eth1", "10.1.3.1/24", "fd00:1:3::1/64")
        jail.add_address("eth0", "10.1.3.2/24", "fd00:1:3::2/64")
        jail.ip("route", "add", "default", "via", "10.1.3.1")
        jail.ip("route", "add", "default", "via", "fd00:1:3::1")
        self.home.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", check=True)
        self.obey()
        self.expect_own_addresses(self.echo(jail, BEHIND, BEHIND6), 5000)
        # Only a home that tracks connections sees ports in each fragment of an answer.
        tracking = "table inet keep { chain in { type filter hook prerouting priority 0; ct state new accept; }; }"
        self.home.run("nft", "-f", "-", text=tracking, check=True)
        for address in self.PUBLIC:
            player = self.player(self.players, address, 5000)
            lab.wait_until(lambda: self.is_answered_at_length(player), "a long answer")  # the first finds the MTU


class HomeRoutes(KeepTest):
    def test_say_what_is_to_be_done(self):
        self.start()
        text = "\n".join(self.printed())
        for line in (
            "ip route add default dev wg0 table 1000",
            "ip rule add priority 1001 from 10.1.2.2 ipproto udp sport 34197 lookup 1000",
            "ip rule add priority 1001 from 10.1.2.2 ipproto udp sport 28015-28018 lookup 1000",
            "ip -6 route add default dev wg0 table 1000",
            "ip -6 rule add priority 1001 from fd00:1:2::2 ipproto udp sport 34197 lookup 1000",
            "#   Table = off",
            "#   AllowedIPs = 0.0.0.0/0, ::/0",
            "pass in on wg0 reply-to (wg0 10.1.2.5) inet proto udp to 10.1.2.2 port 34197 keep state",
            "pass in on wg0 reply-to (wg0 10.1.2.5) inet proto udp to 10.1.2.2 port 28015:28018 keep state",
            "pass in on wg0 reply-to (wg0 fd00:1:2::5) inet6 proto udp to fd00:1:2::2 port 34197 keep state",
        ):
            self.assertIn(f"{line}\n", f"{text}\n")
        self.assertEqual(self.gateway.forward("steam")["services"],
                         [{"address": "10.1.2.2", "first_port": 28015, "last_port": 28018}])

    def test_are_none_where_the_gateway_is_the_source(self):
        self.start(("[[forward]]", {"listen": "0.0.0.0:34197", "to": "10.1.2.2:34197"}))
        self.assertEqual(self.printed(),
                         ['# wg0: no forward has source = "keep", so home needs no routes for answers.'])


if __name__ == "__main__":
    unittest.main()
