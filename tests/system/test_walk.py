"""A walk through what users of WireGuard rely on, with adit at both ends: traffic, counters, refusals, keys."""

import base64
import errno
import json
import socket
import time
import unittest

import lab
from drop_in import DropInLab

INITIATION, RESPONSE, KEEPALIVE = 148, 92, 32
IPV4_PING, IPV6_PING = 20 + 8, 40 + 8  # headers
# Socket options: the application hears of every ICMP error.
IP_RECVERR, IPV6_RECVERR = (socket.IPPROTO_IP, 11), (socket.IPPROTO_IPV6, 25)
LARGEST_INNER = 65440  # fits one UDP datagram when it is sealed, also before adit has heard of a new MTU


def sealed(length, mtu=1420):
    """The UDP payload that an inner packet becomes: padded to a multiple of 16, but not beyond the MTU."""
    return KEEPALIVE + min(mtu, (length + 15) // 16 * 16)


class TunsElsewhere(DropInLab):
    """The outside is the loopback of one machine; both tuns were made there and live in machines without any cable.

    one  10.0.0.1, fd00::1 ==wg1== 127.0.0.1:51821  middle  127.0.0.1:51822 ==wg2== 10.0.0.2, fd00::2  two
    """

    INSIDE = (("10.0.0.2", IPV4_PING), ("fd00::2", IPV6_PING))
    OUTSIDE = ("127.0.0.1", "[::1]")

    def setUp(self):
        lab.LabTest.setUp(self)
        self.one, self.middle, self.two = self.node("one"), self.node("middle"), self.node("two")
        self.keys_one, self.keys_two = lab.Keys(), lab.Keys()
        self.start(self.middle, "wg1")
        self.start(self.middle, "wg2")
        self.configure(self.middle, "wg1", self.keys_one, self.keys_two, "127.0.0.1:51822", 1, 2, port=51821)
        self.configure(self.middle, "wg2", self.keys_two, self.keys_one, None, 2, 1, port=51822)
        self.move("wg1", self.middle, self.one, 1)
        self.move("wg2", self.middle, self.two, 2)
        lab.wait_until(lambda: {"51821", "51822"} <= self.ports(self.middle), "sockets")

    def move(self, interface, source, target, number):
        source.ip("link", "set", interface, "netns", target.name)
        self.address(target, interface, number)

    def ports(self, node):
        """Those of UDP sockets."""
        return {line.split()[3].rpartition(":")[2] for line in self.run_on(node, "ss", "-Hlnu").stdout.splitlines()}

    def set_mtu(self, mtu):
        self.one.ip("link", "set", "wg1", "mtu", mtu)
        self.two.ip("link", "set", "wg2", "mtu", mtu)

    def go_over(self, outside):
        self.wg(self.middle, "set", "wg1", "peer", self.keys_two.public, "endpoint", f"{outside}:51822")
        lab.wait_until(lambda: self.pings(self.one, "10.0.0.2"), f"a ping over {outside}")
        self.assertEqual(self.endpoint("wg2"), f"{outside}:51821")

    def expect_answers(self, address, size, count=1, whole=True):
        """To exactly so many pings."""
        options = ("-s", size, "-M", "do" if whole else "dont", "-W", lab.GENEROUS)
        for _ in range(count):
            self.assertTrue(self.pings(self.one, address, *options), f"{address} answers a ping of {size} bytes")


class Traffic(TunsElsewhere):
    def test_follows_a_tun_that_is_moved_again_while_the_sockets_stay(self):
        self.expect_tunnel()
        third = self.node("third")
        self.move("wg1", self.one, third, 1)
        lab.wait_until(lambda: self.pings(third, "10.0.0.2"), "a ping from where the tun is now")
        self.assertTrue(self.pings(self.two, "fd00::1"))
        self.assertLessEqual({"51821", "51822"}, self.ports(self.middle))
        for node in (self.one, self.two, third):
            self.assertEqual(self.ports(node), set())
        self.assertEqual(self.endpoint("wg2"), "127.0.0.1:51821")
        self.move("wg1", third, self.one, 1)
        self.expect_tunnel()

    def test_packets_of_every_size_at_every_mtu(self):
        for outside in self.OUTSIDE:
            self.go_over(outside)
            for mtu in (1280, 1420, 9000, 65535):
                self.set_mtu(mtu)
                for address, headers in self.INSIDE:
                    largest = min(mtu, LARGEST_INNER) - headers
                    for size in (0, 1, 1000, largest):
                        with self.subTest(outside=outside, mtu=mtu, inside=address, size=size):
                            self.expect_answers(address, size)

    def test_packets_larger_than_the_mtu_arrive_in_fragments(self):
        for mtu in (1280, 9000):
            self.set_mtu(mtu)
            for address, headers in self.INSIDE:
                for size in (mtu - headers + 1, 3 * mtu):
                    with self.subTest(mtu=mtu, inside=address, size=size):
                        self.expect_answers(address, size, whole=False)

    def test_tcp_and_udp_over_both_ip_versions_inside_and_outside(self):
        for outside, mtus in zip(self.OUTSIDE, ((1280, 9000), (1420,))):
            self.go_over(outside)
            for mtu in mtus:
                self.set_mtu(mtu)
                for address, _ in self.INSIDE:
                    with self.subTest(outside=outside, mtu=mtu, inside=address):
                        for direction in ((), ("--reverse",)):
                            end = self.iperf(self.one, self.two, address, "--bytes", "4M", *direction)
                            self.assertGreaterEqual(end["sum_sent"]["bytes"], 4 << 20)
                        udp = ("--udp", "--bitrate", "20M", "--bytes", "500K")
                        end = self.iperf(self.one, self.two, address, *udp)
                        self.assertLess(end["sum"]["lost_percent"], 2)

    def test_datagrams_as_large_as_they_get(self):
        self.set_mtu(65535)
        for address, _ in self.INSIDE:
            with self.subTest(inside=address):
                udp = ("--udp", "--bitrate", "20M", "--bytes", "2M", "--length", "65000")
                end = self.iperf(self.one, self.two, address, *udp)
                self.assertLess(end["sum"]["lost_percent"], 10)


class Counters(TunsElsewhere):
    def expect_transfer(self, sent, received):
        """By the first, from the second; and the other way round."""
        lab.wait_until(lambda: self.transfer("wg2") == (sent, received), f"{sent} bytes to wg2, {received} from there")
        self.assertEqual(self.transfer("wg1"), (received, sent))

    def test_are_exact_for_handshake_pings_and_keepalives(self):
        self.expect_transfer(0, 0)
        sent, received = INITIATION, RESPONSE
        # Padded; a multiple already; one byte more; padded by less because of the MTU; of the MTU's size.
        for size in (0, 56, 68, 69, 1410 - IPV4_PING, 1420 - IPV4_PING):
            self.expect_answers("10.0.0.2", size, count=3)
            sent, received = (total + 3 * sealed(size + IPV4_PING) for total in (sent, received))
            self.expect_transfer(sent, received)
        for size in (56, 1420 - IPV6_PING):
            self.expect_answers("fd00::2", size, count=3)
            sent, received = (total + 3 * sealed(size + IPV6_PING) for total in (sent, received))
            self.expect_transfer(sent, received)
        # Switched on, persistent keepalives begin at once.
        self.wg(self.middle, "set", "wg1", "peer", self.keys_two.public, "persistent-keepalive", "3600")
        sent += KEEPALIVE
        self.expect_transfer(sent, received)

    def test_are_exact_when_the_first_message_is_a_keepalive(self):
        self.wg(self.middle, "set", "wg1", "peer", self.keys_two.public, "persistent-keepalive", "3600")
        self.expect_transfer(INITIATION + KEEPALIVE, RESPONSE)

    def test_show_one_keepalive_of_who_hears_much_and_has_nothing_to_say(self):
        with self.one.socket(socket.AF_INET) as talker, self.two.socket(socket.AF_INET) as listener:
            listener.bind(("10.0.0.2", 7000))
            for _ in range(4):
                talker.sendto(bytes(100), ("10.0.0.2", 7000))
            sent = INITIATION + 4 * sealed(20 + 8 + 100)
            self.expect_transfer(sent, RESPONSE)
            self.expect_transfer(sent, RESPONSE + KEEPALIVE)  # after ten seconds


class Refusals(DropInLab):
    """Who may send what where."""

    EXTRA = ("10.0.0.9", "fd00::9")

    def add_extra_addresses(self):
        self.one.add_address("wg1", "10.0.0.9/24")
        # Deprecated: nobody uses it who is not told to.
        self.one.ip("addr", "add", "fd00::9/64", "dev", "wg1", "nodad", "preferred_lft", "0")

    def out_of(self, node, interface):
        """How many packets have come out of its tunnel."""
        statistics = json.loads(node.ip("-s", "-j", "link", "show", interface))
        return statistics[0]["stats64"]["rx"]["packets"]

    def expect_refusal(self, source, target):
        before = self.out_of(self.two, "wg2")
        self.assertFalse(self.pings(self.one, target, "-I", source, "-W", "1"))
        self.assertEqual(self.out_of(self.two, "wg2"), before)
        self.assertTrue(self.pings(self.one, target))  # under its own address

    def test_an_inner_source_that_is_not_the_peers_stays_inside(self):
        self.start_both()
        self.add_extra_addresses()
        self.expect_tunnel()
        allowed = "10.0.0.1/32,fd00::1/128"
        for source, target in zip(self.EXTRA, ("10.0.0.2", "fd00::2")):
            with self.subTest(source):
                self.expect_refusal(source, target)
                allowed += f",{source}"
                self.wg(self.two, "set", "wg2", "peer", self.keys_one.public, "allowed-ips", allowed)
                self.assertTrue(self.pings(self.one, target, "-I", source))

    def test_the_more_specific_allowed_ip_says_whose_an_address_is(self):
        self.start_both()
        self.add_extra_addresses()
        third = lab.Keys().public
        self.wg(self.two, "set", "wg2", "peer", self.keys_one.public, "allowed-ips", "10.0.0.0/24,fd00::/64")
        self.wg(self.two, "set", "wg2", "peer", third, "allowed-ips", "10.0.0.8/31,fd00::8/125")
        for source, target in zip(self.EXTRA, ("10.0.0.2", "fd00::2")):
            with self.subTest(source):
                self.expect_refusal(source, target)
        # The most specific of all is the sender's own.
        mine = "10.0.0.0/24,fd00::/64,10.0.0.9/32,fd00::9/128"
        self.wg(self.two, "set", "wg2", "peer", self.keys_one.public, "allowed-ips", mine)
        for source, target in zip(self.EXTRA, ("10.0.0.2", "fd00::2")):
            self.assertTrue(self.pings(self.one, target, "-I", source))

    def expect_unreachable(self, *addresses):
        for address in addresses:
            answer = self.run_on(self.one, "ping", "-n", "-c", "1", "-W", lab.GENEROUS, address)
            said = "Address unreachable" if ":" in address else "Destination Host Unreachable"
            self.assertIn(said, answer.stdout)
            with self.one.socket(lab.family_of(address), socket.SOCK_STREAM) as client:
                client.settimeout(lab.GENEROUS)
                self.assertEqual(client.connect_ex((address, 7000)), errno.EHOSTUNREACH)
            with self.one.socket(lab.family_of(address)) as client:
                client.settimeout(lab.GENEROUS)
                client.setsockopt(*(IPV6_RECVERR if ":" in address else IP_RECVERR), 1)
                client.connect((address, 7000))
                client.send(b"hello")
                with self.assertRaises(OSError) as refused:
                    client.recv(1)
                self.assertEqual(refused.exception.errno, errno.EHOSTUNREACH)

    def test_an_address_that_no_peer_has_is_unreachable_at_once(self):
        self.start_both()
        self.expect_unreachable("10.0.0.99", "fd00::99")
        self.expect_tunnel()
        self.expect_unreachable("10.0.0.99", "fd00::99")

    def test_a_peer_is_unreachable_until_it_has_an_endpoint(self):
        self.start_both()
        self.wg(self.one, "set", "wg1", "peer", self.keys_two.public, "remove")
        self.wg(self.one, "set", "wg1", "peer", self.keys_two.public, "allowed-ips", "10.0.0.2/32,fd00::2/128")
        self.expect_unreachable("10.0.0.2", "fd00::2")
        self.wg(self.one, "set", "wg1", "peer", self.keys_two.public, "endpoint", "192.0.2.2:51820")
        self.expect_tunnel()


class RoutingLoops(DropInLab):
    """The route to the peer's endpoint leads into the tunnel itself."""

    PING, FULL, FRAGMENTED = 56, 1420 - IPV6_PING, 4000  # what comes back of these comes in one piece, or in more

    def dropped(self):
        shown = self.run_on(self.one, lab.ADIT, "show", "wg1", "--json", check=True)
        return json.loads(shown.stdout)["drops"].get("routing_loop", 0)

    def go_over(self, outside):
        host = f"[{outside}]" if ":" in outside else outside
        allowed = f"10.0.0.2/32,fd00::2/128,{outside}"
        peer = ("peer", self.keys_two.public, "endpoint", f"{host}:51820", "allowed-ips", allowed)
        self.wg(self.one, "set", "wg1", *peer)
        self.expect_tunnel()

    def test_end_with_the_first_datagram_that_comes_back(self):
        self.start_both()
        for outside in ("192.0.2.2", "2001:db8::2"):
            self.go_over(outside)
            self.one.ip("route", "add", outside, "dev", "wg1")
            for address in ("10.0.0.2", "fd00::2"):
                for size in (self.PING, self.FULL, self.FRAGMENTED):
                    with self.subTest(outside=outside, inside=address, size=size):
                        (_, before), dropped = self.transfer("wg1"), self.dropped()
                        self.assertFalse(self.pings(self.one, address, "-s", size, "-M", "dont", "-W", "1"))
                        self.assertGreater(self.dropped(), dropped)
                        self.assertLess(self.transfer("wg1")[1] - before, 4 * (size + 100))
            self.one.ip("route", "del", outside, "dev", "wg1")
            self.expect_tunnel()


# Points whose multiples a private key does not change (https://cr.yp.to/ecdh.html#validate): 0, 1, two of order eight,
# p-1, p and p+1.  As X25519 ignores the highest bit, each has a second spelling.
P = 2**255 - 19
LOW_ORDER = [
    0, 1, P - 1, P, P + 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
]


class Keys(DropInLab):
    def handshakes(self, interface):
        """When each of its peers shook hands, by public key in hexadecimal, in nanoseconds."""
        peers = {}
        for line in self.ask(interface, "get=1\n\n").splitlines():
            key, _, value = line.partition("=")
            if key == "public_key":
                peer = value
            elif key == "last_handshake_time_sec":
                peers[peer] = int(value) * 10**9
            elif key == "last_handshake_time_nsec":
                peers[peer] += int(value)
        return peers

    def test_a_new_private_key_is_answered_by_a_handshake_at_once(self):
        self.start_both()
        self.expect_tunnel()
        two = base64.b64decode(self.keys_two.public).hex()
        for _ in range(3):
            before = self.handshakes("wg1")[two]
            new = lab.Keys()
            self.wg(self.two, "set", "wg2", "peer", new.public, "allowed-ips", "10.0.0.1/32,fd00::1/128")
            self.wg(self.one, "set", "wg1", "private-key", "/dev/stdin", text=new.private)
            begin = time.monotonic()
            self.assertTrue(self.pings(self.one, "10.0.0.2", "-W", lab.GENEROUS))
            self.assertLess(time.monotonic() - begin, 4)  # not when the last initiation is five seconds old
            self.assertGreater(self.handshakes("wg1")[two], before)
            self.assertGreater(self.handshakes("wg2")[base64.b64decode(new.public).hex()], before)
            self.expect_tunnel()

    def test_a_peer_with_our_own_key_is_passed_over(self):
        self.start_both()
        own = ("peer", self.keys_one.public, "allowed-ips", "10.0.0.2/32,fd00::2/128", "endpoint", "192.0.2.1:51820")
        self.wg(self.one, "set", "wg1", *own)
        self.assertEqual(self.wg(self.one, "show", "wg1", "peers").split(), [self.keys_two.public])
        self.expect_tunnel()

    def test_a_peer_whose_key_becomes_our_own_is_removed(self):
        self.start_both()
        third = lab.Keys()
        self.wg(self.one, "set", "wg1", "peer", third.public, "allowed-ips", "10.0.0.3/32")
        self.wg(self.two, "set", "wg2", "peer", third.public, "allowed-ips", "10.0.0.1/32,fd00::1/128")
        self.wg(self.one, "set", "wg1", "private-key", "/dev/stdin", text=third.private)
        self.assertEqual(self.wg(self.one, "show", "wg1", "peers").split(), [self.keys_two.public])
        self.expect_tunnel()

    def test_a_peer_with_a_key_of_low_order_is_accepted_and_never_spoken_to(self):
        self.start_both()
        keys = [(point | high).to_bytes(32, "little") for point in LOW_ORDER for high in (0, 1 << 255)]
        with self.two.socket(socket.AF_INET) as nobody:
            nobody.bind(("192.0.2.2", 7000))
            nobody.setblocking(False)
            for number, key in enumerate(keys, 100):
                self.wg(
                    self.one, "set", "wg1", "peer", base64.b64encode(key).decode(), "endpoint", "192.0.2.2:7000",
                    "allowed-ips", f"10.0.0.{number}/32", "persistent-keepalive", "1",
                )
            self.assertEqual(len(self.wg(self.one, "show", "wg1", "peers").split()), len(keys) + 1)
            with self.one.socket(socket.AF_INET) as client:
                for number in range(len(keys)):
                    client.sendto(b"hello", (f"10.0.0.{100 + number}", 7000))
            self.expect_tunnel()  # what was sent before it is done with
            with self.assertRaises(BlockingIOError):
                nobody.recv(65536)
        shaken = [bytes.fromhex(key) for key, when in self.handshakes("wg1").items() if when]
        self.assertEqual(shaken, [base64.b64decode(self.keys_two.public)])
        for line in self.wg(self.one, "show", "wg1", "transfer").splitlines():
            peer, received, sent = line.split()
            if peer != self.keys_two.public:
                self.assertEqual((received, sent), ("0", "0"))


if __name__ == "__main__":
    unittest.main()
