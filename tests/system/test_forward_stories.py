"""The long life of a forward: services that answer oddly or die, clients that move, a tunnel that is down."""

import socket
import unittest

import factorio
import lab

SERVICE = ("10.1.2.2", 5000)


class Script:
    """A service that does with each datagram what the test says, and remembers who sent what."""

    def __init__(self, node, address):
        self.socket = node.socket(lab.family_of(address[0]))
        self.socket.settimeout(lab.GENEROUS)
        self.socket.bind(address)

    def take(self):
        """The next datagram and the gateway's address and port it came from."""
        return self.socket.recvfrom(65535)

    def answer(self, payload, to):
        self.socket.sendto(payload, to)

    def close(self):
        self.socket.close()


class Stories(factorio.FactorioTest):
    def start(self, *forwards, **keys):
        """One forward, unless told otherwise."""
        forwards = forwards or (("game", "0.0.0.0:5000", "10.1.2.2:5000"), ("game6", "[::]:5000", "[fd00:1:2::2]:5000"))
        config = super().gateway_config().split("[[forward]]")[0]
        sections = [("[[forward]]", {"name": name, "listen": listen, "to": to} | keys) for name, listen, to in forwards]
        self.gateway = self.keep(factorio.Gateway(self.vps, config + lab.toml(*sections)))
        self.home_end = self.start_home()
        self.gateway.wait_for_handshake()

    def script(self, address=SERVICE):
        script = Script(self.home, address)
        self.addCleanup(script.close)
        return script

    def client(self, port=5000, address=None, **options):
        return self.player(self.players, address or self.PUBLIC[0], port, **options)

    def game(self):
        return self.gateway.forward("game")

    def wait_for(self, timeout=lab.GENEROUS, **values):
        """Until `adit show` says so of the game."""
        def holds():
            game = self.game()
            return all(game[key] == value for key, value in values.items())

        lab.wait_until(holds, f"{values} of the forward", timeout)

    def expect_silence(self, client, timeout=0.3):
        with self.assertRaises(TimeoutError):
            client.receive(timeout)


class AServiceThatAnswers(Stories):
    def test_from_another_port_is_not_heard_by_the_client(self):
        self.start()
        service, other = self.script(), self.script((SERVICE[0], 5001))
        # The VPS's own kernel gets it, as any packet of the tunnel that belongs to no flow.
        client = self.client(connected=False)
        client.send(b"hello")
        _, gateway = service.take()
        own = self.vps.socket(socket.AF_INET)
        self.addCleanup(own.close)
        own.settimeout(lab.GENEROUS)
        own.bind(gateway)
        other.answer(b"from another port", gateway)
        self.assertEqual(own.recvfrom(100), (b"from another port", (SERVICE[0], 5001)))
        self.expect_silence(client)
        game = self.game()
        self.assertEqual((game["flows_unanswered"], game["packets_out"], game["drops"]), (1, 0, {}))
        self.assertEqual(self.gateway.drops(), {})
        service.answer(b"from its own", gateway)
        self.assertEqual(client.receive(), b"from its own")

    def test_after_the_idle_time_is_not_heard_and_the_client_begins_anew(self):
        self.start(idle_timeout="1s")
        service, client = self.script(), self.client()
        client.send(b"first")
        _, gateway = service.take()
        service.answer(b"welcome", gateway)
        self.assertEqual(client.receive(), b"welcome")
        self.wait_for(flows=0)
        service.answer(b"too late", gateway)
        self.expect_silence(client)
        self.assertEqual(self.game()["packets_out"], 1)
        client.send(b"second")
        _, gateway = service.take()
        service.answer(b"again", gateway)
        self.assertEqual(client.receive(), b"again")
        self.assertEqual((self.game()["flows"], self.game()["flows_opened"]), (1, 2))
        self.assertEqual(self.gateway.drops(), {})

    def test_twice_is_heard_twice(self):
        self.start()
        service, client = self.script(), self.client()
        client.send(b"hello")
        _, gateway = service.take()
        for text in (b"once", b"twice", b"", b"once"):
            service.answer(text, gateway)
            self.assertEqual(client.receive(), text)
        game = self.game()
        self.assertEqual((game["packets_in"], game["packets_out"]), (1, 4))
        self.assertEqual((game["flows_unanswered"], game["flows_established"]), (0, 0))

    def test_never_loses_the_flow_soon(self):
        self.start(unanswered_timeout="1s", idle_timeout="1h")
        service, silent, answered = self.script(), self.client(), self.client()
        answered.send(b"answer me")
        _, gateway = service.take()
        service.answer(b"yes", gateway)
        self.assertEqual(answered.receive(), b"yes")
        silent.send(b"anybody?")
        service.take()
        self.assertEqual(self.game()["flows_unanswered"], 1)
        self.wait_for(flows_unanswered=0, timeout=4)
        self.assertEqual((self.game()["flows"], self.game()["flows_opened"]), (1, 2))
        answered.send(b"still there?")
        self.assertEqual(service.take(), (b"still there?", gateway))


class AClientThatMoves(Stories):
    def test_to_another_port_has_a_new_flow_and_the_old_one_ends(self):
        self.start(idle_timeout="2s")
        echo = self.echo(self.home, SERVICE)
        old = self.client()
        for _ in range(2):
            self.assertEqual(old.ask(b"here"), b"here")
        old.close()
        new = self.client()
        for _ in range(2):
            self.assertEqual(new.ask(b"there"), b"there")
        self.assertEqual(self.game()["flows_established"], 2)
        self.assertEqual(len(echo.sources), 2, "a port of its own for each")

        def only_one_is_left():
            self.assertEqual(new.ask(b"there"), b"there")
            return self.game()["flows"] == 1

        lab.wait_until(only_one_is_left, "the old flow ends")
        self.assertEqual(self.game()["flows_opened"], 2, "the new one goes on")


class AServiceThatDies(Stories):
    def test_is_shown_as_unreachable_and_when_it_returns_its_client_goes_on(self):
        self.start()
        for address, name in (((SERVICE[0], 5000), "game"), (("fd00:1:2::2", 5000), "game6")):
            with self.subTest(name):
                self.die_and_return(address, name)

    def die_and_return(self, address, name):
        def shown():
            return self.vps.run(lab.ADIT, "show", "wg0", check=True).stdout

        version = int(":" in address[0])
        client = self.client(address=self.PUBLIC[version])
        echo = self.echo(self.home, address)
        self.assertEqual(client.ask(b"alive?"), b"alive?")
        self.assertTrue(self.gateway.forward(name)["service_is_reachable"])
        sources = set(echo.sources)
        echo.close()

        def is_said_to_be_gone():
            client.send(b"alive?")
            return not self.gateway.forward(name)["service_is_reachable"]

        lab.wait_until(is_said_to_be_gone, "unreachable")
        self.assertIn("service: unreachable, says its host", shown())
        self.assertGreaterEqual(self.gateway.forward(name)["unreachable"], 1)
        # The client was told nothing, as behind any NAT that keeps its state.
        self.expect_silence(client)
        echo = self.echo(self.home, address)
        self.assertTrue(client.is_answered(lab.GENEROUS))
        self.assertTrue(self.gateway.forward(name)["service_is_reachable"])
        self.assertNotIn("service: unreachable", shown())
        self.assertEqual(echo.sources, sources, "the same flow")
        self.assertEqual(self.gateway.forward(name)["flows_opened"], 1)
        self.assertEqual(self.gateway.drops(), {})


class ATunnelThatIsDown(Stories):
    def setUp(self):
        super().setUp()
        self.start()
        self.service = self.echo(self.home, SERVICE)
        self.one = self.client()
        self.assertTrue(self.one.is_answered())
        self.sources = set(self.service.sources)

    def expect_the_same_flow(self):
        lab.wait_until(self.one.is_answered, "answers", timeout=30)
        self.assertEqual(self.service.sources, self.sources)
        game = self.game()
        self.assertEqual((game["flows"], game["flows_opened"]), (1, 1))

    def send_meanwhile(self, count=30):
        for _ in range(count):
            self.assertFalse(self.one.is_answered(0.05))

    def test_by_homes_interface_leaves_the_flow(self):
        self.home.ip("link", "set", "wg0", "down")
        self.send_meanwhile()
        self.home.ip("link", "set", "wg0", "up")
        self.expect_the_same_flow()

    def test_by_the_cable_leaves_the_flow(self):
        self.home.ip("link", "set", "eth0", "down")
        self.send_meanwhile()
        self.home.ip("link", "set", "eth0", "up")
        self.expect_the_same_flow()

    def test_by_the_gateways_own_interface_leaves_the_flow(self):
        self.vps.ip("link", "set", "wg0", "down")
        self.send_meanwhile(10)
        self.vps.ip("link", "set", "wg0", "up")
        self.expect_the_same_flow()


class Redirects(Stories):
    """The UDP redirects that people write for pf, as forwards."""

    BOTH = staticmethod(lambda ports: [f"0.0.0.0:{ports}", f"[::]:{ports}"])

    def expect_each_its_own(self, pairs):
        """(public port, service): each service gets its own ports' datagrams, from clients of either version."""
        services = {to: self.echo(self.home, to) for to in dict.fromkeys(to for _, to in pairs)}
        expected = dict.fromkeys(services, 0)
        clients = [(address, port, to, self.client(port, address)) for port, to in pairs for address in self.PUBLIC]
        for address, port, to, client in clients:
            with self.subTest(address=address, port=port):
                for _ in range(2):
                    text = f"{address} {port}".encode()
                    self.assertEqual(client.ask(text), text)
                    expected[to] += 1
        self.assertEqual({to: service.received for to, service in services.items()}, expected)
        self.assertEqual(self.gateway.drops(), {})

    def test_of_one_port_each(self):
        self.start(
            ("factorio", self.BOTH(34197), "10.1.2.2:34197"),
            ("other", self.BOTH(22124), "10.1.2.2:22124"),
        )
        self.expect_each_its_own([(34197, ("10.1.2.2", 34197)), (22124, ("10.1.2.2", 22124))])

    def test_of_a_range_that_is_shifted(self):
        self.start(("steam", self.BOTH("27015-27018"), "10.1.2.2:28015-28018"))
        self.expect_each_its_own([(27015 + number, ("10.1.2.2", 28015 + number)) for number in range(4)])
        with self.assertRaises(OSError):  # its neighbours are nobody's
            self.client(27019).ask(b"hello", 0.3)

    def test_of_a_range_to_the_same_ports_at_an_ipv6_service(self):
        self.start(("steam", self.BOTH("27015-27018"), "[fd00:1:2::2]"))
        self.expect_each_its_own([(port, ("fd00:1:2::2", port)) for port in range(27015, 27019)])

    def test_of_a_list_and_of_one_service_behind_many_ports(self):
        self.start(
            ("list", self.BOTH("2302,2305,27016-27017"), "10.1.2.2:9000-9003"),
            ("many", self.BOTH("7777-7779"), "10.1.2.2:7777"),
        )
        to_its_own = [(port, ("10.1.2.2", 9000 + at)) for at, port in enumerate((2302, 2305, 27016, 27017))]
        self.expect_each_its_own(to_its_own + [(port, ("10.1.2.2", 7777)) for port in range(7777, 7780)])


if __name__ == "__main__":
    unittest.main()
