"""A walk through what users of WireGuard rely on, with adit at both ends: ends that move, and the ways between them."""

import json
import select
import socket
import threading
import time
import unittest

import lab
from drop_in import DropInLab


class Roaming(DropInLab):
    """An end moves, and the other one follows."""

    def sides(self):
        """Node, its interface and its peer; numbers of both; the interface that is to follow."""
        yield self.one, "wg1", self.keys_two.public, 1, 2, "wg2"
        yield self.two, "wg2", self.keys_one.public, 2, 1, "wg1"

    def roams(self, node, interface, number, peer_number):
        """Moves an end again and again; yields where it is then, and where its peer is to be found from there.

        Who changes the IP version loses the old address: else the peer, who still sends there, is followed back."""
        peer, peer6 = f"192.0.2.{peer_number}:51820", f"[2001:db8::{peer_number}]:51820"
        address, other = f"192.0.2.{number}", f"192.0.2.{number}1"
        address6, other6 = f"2001:db8::{number}", f"2001:db8::{number}1"
        port = 4000 + number
        self.wg(node, "set", interface, "listen-port", port)
        yield f"{address}:{port}", peer
        self.replace_addresses(node, other, address6)
        yield f"{other}:{port}", peer
        self.replace_addresses(node, address6)
        yield f"[{address6}]:{port}", peer6
        self.replace_addresses(node, other6)
        yield f"[{other6}]:{port}", peer6
        self.replace_addresses(node, address)
        yield f"{address}:{port}", peer
        self.replace_addresses(node, address, address6)
        self.wg(node, "set", interface, "listen-port", "51820")
        yield f"{address}:51820", peer

    def replace_addresses(self, node, *addresses):
        node.ip("addr", "flush", "dev", "eth0", "scope", "global")
        node.add_address("eth0", *(f"{address}/64" if ":" in address else f"{address}/24" for address in addresses))

    def expect_to_be_followed(self, side, place, peer_place):
        node, interface, peer, _, peer_number, follower = side

        def is_followed():
            self.wg(node, "set", interface, "peer", peer, "endpoint", peer_place)
            return self.pings(node, f"10.0.0.{peer_number}") and self.endpoint(follower) == place

        lab.wait_until(is_followed, f"{follower} knows {place}")

    def test_either_end_may_change_port_address_and_ip_version(self):
        self.start_both()
        self.expect_tunnel()
        for side in self.sides():
            node, interface, _, number, peer_number, _ = side
            for place, peer_place in self.roams(node, interface, number, peer_number):
                with self.subTest(place):
                    self.expect_to_be_followed(side, place, peer_place)
                    self.expect_tunnel()

    def test_a_tcp_connection_outlives_every_move_of_either_end(self):
        self.start_both()
        self.expect_tunnel()
        for side, inside in zip(self.sides(), ("10.0.0.2", "fd00::2")):
            node, interface, _, number, peer_number, _ = side
            with self.subTest(interface):
                server = self.iperf_server(self.two, inside)
                words = ("iperf3", "--client", inside, "--json", "--time", "6", "--bitrate", "40M")
                client = self.keep(lab.Process(self.one.command(*words), self.directory / f"{interface}.json"))
                self.expect_progress()
                for place, peer_place in self.roams(node, interface, number, peer_number):
                    self.expect_to_be_followed(side, place, peer_place)
                    self.expect_progress()
                self.assertTrue(client.runs(), "it was over before the last move")
                self.assertEqual((client.wait(), server.wait()), (0, 0))
                report = json.loads(client.log())
                self.assertNotIn("error", report)
                self.assertGreater(report["end"]["sum_received"]["bytes"], 1 << 20)

    def expect_progress(self):
        before, _ = self.transfer("wg2")
        lab.wait_until(lambda: self.transfer("wg2")[0] > before + 100_000, "the transfer goes on")


class Nat:
    """What a home router makes of one client's datagrams: a port of its own stands for the client, for as long as the
    client sends.  Answers do not keep it (as RFC 4787 allows, 4.3); when it is gone the outside finds nobody there."""

    LIFETIME = 1.5  # seconds of silence

    def __init__(self, node, inside, outside_address, server):
        self.node, self.outside_address, self.server = node, outside_address, server
        self.inside = node.socket(socket.AF_INET)
        self.inside.bind(inside)
        self.client = self.mapping = None
        self.made = self.used = 0.0
        self.is_over = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def place(self):
        """Where the client seems to be; nothing when it has no mapping."""
        mapping = self.mapping
        return mapping and "{}:{}".format(*mapping.getsockname())

    def age(self):
        return time.monotonic() - self.made if self.mapping else 0

    def stop(self):
        self.is_over = True
        self.thread.join()
        self.forget()
        self.inside.close()

    def run(self):
        while not self.is_over:
            sockets = [self.inside, self.mapping] if self.mapping else [self.inside]
            readable, _, _ = select.select(sockets, [], [], 0.05)
            if self.mapping and time.monotonic() > self.used + self.LIFETIME:
                self.forget()
            elif self.mapping in readable:
                self.inside.sendto(self.mapping.recv(65536), self.client)
            if self.inside in readable:
                self.pass_out(*self.inside.recvfrom(65536))

    def pass_out(self, datagram, client):
        self.used = time.monotonic()
        if not self.mapping:
            self.client, self.made = client, self.used
            mapping = self.node.socket(socket.AF_INET)
            mapping.bind((self.outside_address, 0))
            self.mapping = mapping
        self.mapping.sendto(datagram, self.server)

    def forget(self):
        mapping, self.mapping = self.mapping, None
        if mapping:
            mapping.close()


class BehindNat(DropInLab):
    """one  192.0.2.1 ---- 192.0.2.2  nat  198.51.100.1 ---- 198.51.100.2  two"""

    def setUp(self):
        lab.LabTest.setUp(self)
        self.one, self.router, self.two = self.node("one"), self.node("nat"), self.node("two")
        lab.cable(self.one, "eth0", self.router, "inside")
        lab.cable(self.two, "eth0", self.router, "outside")
        self.one.add_address("eth0", "192.0.2.1/24")
        self.router.add_address("inside", "192.0.2.2/24")
        self.router.add_address("outside", "198.51.100.1/24")
        self.two.add_address("eth0", "198.51.100.2/24")
        self.keys_one, self.keys_two = lab.Keys(), lab.Keys()
        self.nat = Nat(self.router, ("192.0.2.2", 51820), "198.51.100.1", ("198.51.100.2", 51820))
        self.addCleanup(self.nat.stop)

    def test_only_persistent_keepalives_keep_the_way_in_open(self):
        self.start_both()
        lab.wait_until(lambda: self.pings(self.one, "10.0.0.2"), "a ping from inside")
        self.assertEqual(self.endpoint("wg2"), self.nat.place())
        self.assertTrue(self.pings(self.two, "10.0.0.1"))

        lab.wait_until(lambda: not self.nat.place(), "the mapping has died")
        self.assertFalse(self.pings(self.two, "10.0.0.1", "-W", "1"))
        self.assertIsNone(self.nat.place(), "nobody inside has said anything")

        self.wg(self.one, "set", "wg1", "peer", self.keys_two.public, "persistent-keepalive", "1")
        lab.wait_until(lambda: self.nat.age() > 2 * Nat.LIFETIME, "the mapping lives")
        lab.wait_until(lambda: self.pings(self.two, "10.0.0.1"), "a ping from outside")
        self.assertEqual(self.endpoint("wg2"), self.nat.place())


class Answers(DropInLab):
    """Who has several addresses answers from the one that was asked."""

    def ask_at(self, address):
        self.wg(self.one, "set", "wg1", "peer", self.keys_two.public, "endpoint", f"{address}:51820")
        lab.wait_until(lambda: self.pings(self.one, "10.0.0.2"), f"an answer from {address}")

    def expect_answers_from(self, address):
        for _ in range(3):
            lab.wait_until(lambda: self.pings(self.two, "10.0.0.1"), "a ping from there")
            self.assertTrue(self.pings(self.one, "10.0.0.2"))
            self.assertEqual(self.endpoint("wg1"), f"{address}:51820")

    def test_come_from_the_address_that_was_asked_until_it_is_gone(self):
        self.start_both()
        for first, second, length, as_host in (
            ("192.0.2.2", "192.0.2.22", 24, "{}"), ("2001:db8::2", "2001:db8::22", 64, "[{}]"),
        ):
            self.two.add_address("eth0", f"{second}/{length}")
            for asked in (second, first, second):
                self.ask_at(as_host.format(asked))
                self.expect_answers_from(as_host.format(asked))
            self.two.ip("addr", "del", f"{second}/{length}", "dev", "eth0")
            self.expect_answers_from(as_host.format(first))
            self.two.add_address("eth0", f"{second}/{length}")
            self.ask_at(as_host.format(second))
            self.expect_answers_from(as_host.format(second))

    def add_second_cable(self):
        lab.cable(self.one, "eth1", self.two, "eth1")
        self.one.add_address("eth1", "198.51.100.1/24", "2001:db8:1::1/64")
        self.two.add_address("eth1", "198.51.100.2/24", "2001:db8:1::2/64")

    def test_follow_an_address_that_moves_to_another_interface(self):
        self.add_second_cable()
        self.start_both()
        for addresses, as_host in (
            (("198.51.100.1/24", "198.51.100.2/24"), "198.51.100.2"),
            (("2001:db8:1::1/64", "2001:db8:1::2/64"), "[2001:db8:1::2]"),
        ):
            self.ask_at(as_host)
            self.expect_answers_from(as_host)
            for source, target in (("eth1", "eth0"), ("eth0", "eth1")):
                with self.subTest(target, asked=as_host):
                    for node, address in zip((self.one, self.two), addresses):
                        node.ip("addr", "del", address, "dev", source)
                        node.add_address(target, address)
                    self.expect_answers_from(as_host)

    def test_come_from_an_address_that_the_packet_did_not_come_in_by(self):
        self.two.add_address("lo", "203.0.113.2/32", "2001:db8:2::2/128")
        self.one.ip("route", "add", "203.0.113.2", "via", "192.0.2.2")
        self.one.ip("route", "add", "2001:db8:2::2", "via", "2001:db8::2")
        self.start_both()
        for asked, gone, then in (
            ("203.0.113.2", "203.0.113.2/32", "192.0.2.2"), ("[2001:db8:2::2]", "2001:db8:2::2/128", "[2001:db8::2]"),
        ):
            with self.subTest(asked):
                self.ask_at(asked)
                self.expect_answers_from(asked)
                self.two.ip("addr", "del", gone, "dev", "lo")
                self.expect_answers_from(then)

    def test_come_from_another_interface_when_the_way_changes(self):
        """one is far away, and two ways lead there."""
        self.add_second_cable()
        self.one.add_address("lo", "203.0.113.1/32", "2001:db8:2::1/128")
        for net, source in (("192.0.2.0/24", "203.0.113.1"), ("2001:db8::/64", "2001:db8:2::1")):
            self.one.ip("route", "replace", net, "dev", "eth0", "src", source, "metric", 0 if "." in net else 10)
        self.start_both()
        for far, ways, asked, then in (
            ("203.0.113.1", ("192.0.2.1", "198.51.100.1"), "192.0.2.2", "198.51.100.2"),
            ("2001:db8:2::1", ("2001:db8::1", "2001:db8:1::1"), "[2001:db8::2]", "[2001:db8:1::2]"),
        ):
            with self.subTest(far):
                for number, way in enumerate(ways):
                    self.two.ip("route", "add", far, "via", way, "dev", f"eth{number}", "metric", 10 + number)
                self.ask_at(asked)
                self.expect_answers_from(asked)
                self.assertIn(far, self.endpoint("wg2"))
                self.two.ip("route", "del", far, "via", ways[0], "dev", "eth0")
                self.expect_answers_from(then)

    def lose_eth0(self, far, ways, asked, then):
        """one is far away, and two ways lead there; the better one ends."""
        self.add_second_cable()
        self.one.add_address("lo", far)
        near, length = ("2001:db8::", 64) if ":" in far else ("192.0.2.0", 24)
        self.one.ip("route", "add", f"{near}/{length}", "dev", "eth0", "src", far, "metric", 1)
        self.one.ip("route", "del", f"{near}/{length}", "dev", "eth0", "proto", "kernel")
        for number, way in enumerate(ways):
            self.two.ip("route", "add", far, "via", way, "dev", f"eth{number}", "metric", 10 + number)
        self.start_both()
        self.ask_at(asked)
        self.expect_answers_from(asked)
        self.assertIn(far, self.endpoint("wg2"))
        self.two.ip("link", "set", "eth0", "down")
        lab.wait_until(lambda: self.pings(self.two, "10.0.0.1"), "an answer over the other way", timeout=5)
        self.assertEqual(self.endpoint("wg1"), f"{then}:51820")
        self.assertIn(far, self.endpoint("wg2"))

    def test_come_over_another_way_when_an_ipv4_interface_goes_down(self):
        # Linux keeps the address.
        self.lose_eth0("203.0.113.1", ("192.0.2.1", "198.51.100.1"), "192.0.2.2", "198.51.100.2")

    def test_come_over_another_way_when_an_ipv6_interface_goes_down(self):
        self.lose_eth0("2001:db8:2::1", ("2001:db8::1", "2001:db8:1::1"), "[2001:db8::2]", "[2001:db8:1::2]")


if __name__ == "__main__":
    unittest.main()
