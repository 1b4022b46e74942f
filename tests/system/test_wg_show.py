"""`wg show` reads the same whether adit or wireguard-go is behind it.

Both are brought into the same states, one after the other, and everything that `wg` shows of each state is compared.
Peers come in no order from wireguard-go (it keeps them in a Go map), so they and their allowed IPs are sorted first.
"""

import base64
import hashlib
import re
import time
import unittest

import drop_in
import lab

PROGRAMS = (lab.ADIT, "wireguard-go")
FIELDS = (
    "public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips latest-handshakes transfer "
    "persistent-keepalive dump"
).split()

INITIATION, RESPONSE, KEEPALIVE = 148, 92, 32  # bytes of WireGuard's messages
MTU = 1420


def key_of(name):
    """32 bytes, the same ones whenever they are asked for."""
    return hashlib.sha256(name.encode()).hexdigest()


def base64_of(key):
    return base64.b64encode(bytes.fromhex(key)).decode()


def public_key_of(key):
    return base64.b64decode(lab.run("wg", "pubkey", text=base64_of(key), check=True).stdout).hex()


ALICE, BOB, CAROL, DAVE = (f"public_key={key_of(name)}\n" for name in ("alice", "bob", "carol", "dave"))
OWN_KEY = f"private_key={key_of('own')}\n"

# Each is what `set=1` is told, and leads on from the state before.  All begin with a port, see Differences.  Nothing
# is sent, as no route leads to the endpoints.
STATES = {
    "a port": "listen_port=51821\n",
    "a private key, another port and a mark": f"{OWN_KEY}listen_port=51820\nfwmark=42\n",
    "no mark": "fwmark=0\n",
    "the greatest mark and port": "fwmark=4294967295\nlisten_port=65535\n",
    "no private key": f"private_key={'0' * 64}\n",
    "a private key again": f"{OWN_KEY}listen_port=51820\nfwmark=51820\n",
    "a peer with nothing": CAROL,
    "peers with much": (
        f"{ALICE}preshared_key={key_of('psk')}\nendpoint=198.51.100.2:51820\npersistent_keepalive_interval=25\n"
        "replace_allowed_ips=true\nallowed_ip=10.1.0.0/16\nallowed_ip=10.2.0.0/24\nallowed_ip=fd01::/32\n"
        f"{BOB}endpoint=[2001:db8:1::2]:65535\nallowed_ip=0.0.0.0/0\nallowed_ip=::/0\nallowed_ip=10.1.2.3/32\n"
        "allowed_ip=fd01::1/128\n"
    ),
    "prefixes with more bits than their length": f"{CAROL}allowed_ip=10.3.3.7/21\nallowed_ip=fd03:3:3:3::7/51\n",
    "addresses that can be written in several ways": (
        f"{CAROL}endpoint=[2001:0DB8:1:0:1:0:0:1]:7\nallowed_ip=FD04:0:0:0:5::/80\nallowed_ip=fd05:0:0:1:0:0::/96\n"
        "allowed_ip=64:ff9b::192.0.2.1/128\nallowed_ip=fd06:0:1:2:3:4:5:6/128\nallowed_ip=::/128\nallowed_ip=1::/16\n"
    ),
    "a keepalive of one second": f"{BOB}persistent_keepalive_interval=1\n",
    "the longest keepalive": f"{BOB}persistent_keepalive_interval=65535\n",
    "no keepalive": f"{BOB}persistent_keepalive_interval=0\n",
    "allowed IPs that moved to another peer": f"{BOB}allowed_ip=10.2.0.0/24\nallowed_ip=fd01::/32\n",
    "an allowed IP within one of another peer": f"{CAROL}allowed_ip=10.2.0.128/25\n",
    "an allowed IP twice": f"{CAROL}allowed_ip=10.9.0.0/16\nallowed_ip=10.9.0.0/16\n",
    "endpoints of another version": f"{ALICE}endpoint=[2001:db8:1::3]:1\n{BOB}endpoint=198.51.100.3:2\n",
    "no preshared key": f"{ALICE}preshared_key={'0' * 64}\n",
    "other allowed IPs": f"{ALICE}replace_allowed_ips=true\nallowed_ip=10.4.0.0/16\n",
    "no allowed IPs": f"{ALICE}replace_allowed_ips=true\n",
    "one peer less": f"{BOB}remove=true\n",
    "a peer removed that is not there": f"{BOB}remove=true\n",
    "a peer updated that is not there": f"{BOB}update_only=true\nallowed_ip=10.5.0.0/16\n",
    "a peer updated that is there": f"{CAROL}update_only=true\nallowed_ip=10.5.0.0/16\n",
    "a peer that came back": f"{BOB}allowed_ip=10.2.0.0/24\n",
    "itself as a peer": f"public_key={public_key_of(key_of('own'))}\nallowed_ip=10.6.0.0/16\n",
    "other peers": f"replace_peers=true\n{DAVE}endpoint=198.51.100.4:4\nallowed_ip=10.2.0.0/24\n{ALICE}",
    "the private key of one of its peers": f"public_key={public_key_of(key_of('new'))}\n",
    "a peer that it becomes itself": f"private_key={key_of('new')}\n",
    "no peers": "replace_peers=true\n",
}


# ---- what was shown, in an order


def table(text):
    """Lines of columns, some of which are lists."""
    return sorted([sorted(re.split("[, ]", column)) for column in line.split("\t")] for line in text.splitlines())


def sections(text):
    """Blocks of `key: value` or `key = value` lines: the interface's, and the peers'."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [re.split(r"\s*(?::\s|=\s)\s*", line.strip(), maxsplit=1) for line in block.splitlines()]
        blocks.append({key: sorted(re.split(", ?", value)) for key, value in (([*line, ""])[:2] for line in lines)})
    return blocks[:1] + sorted(blocks[1:], key=str)


def answer_sections(text):
    """The answer to `get=1`: what it says of the device and, by public key, of each peer."""
    device, peers = {}, {}
    section = device
    for line in text.strip().splitlines():
        key, value = line.split("=", 1)
        if key == "public_key":
            section = peers.setdefault(value, {})
        elif key == "errno":
            section = device
        section.setdefault(key, []).append(value)
    for section in (device, *peers.values()):
        for values in section.values():
            values.sort()
    return device, peers


class WgShowLab(drop_in.DropInLab):
    def bound_ports(self, node):
        listening = self.run_on(node, "ss", "-Hlnu").stdout
        return {int(line.split()[3].rsplit(":", 1)[1]) for line in listening.splitlines()}

    def interfaces_shown(self, text, interface):
        """What `wg show all` or `wg show all dump` shows of one of the interfaces."""
        return "".join(part for part in re.split(r"^(?=interface: )", text, flags=re.M) if f": {interface}\n" in part)

    def shown(self, interface):
        """All that `wg` shows of an interface.  A time is shown as `then`, and must be a time in all forms of it."""
        handshakes = set(self.wg(self.one, "show", interface, "latest-handshakes").split()[1::2])

        def without_times(text):
            for seconds in handshakes - {"0"}:
                text = text.replace(seconds, "then")
            text = re.sub(r"(?<=latest handshake: )(Now|\d+ seconds? ago)$", "then", text, flags=re.M)
            return re.sub(r"(?<=time_nsec=)[1-9]\d{0,8}$", "then", text, flags=re.M)

        def show(*words, environment=None):
            return without_times(self.wg(self.one, "show", *words, environment=environment))

        of_all = show("all", "dump").splitlines()
        shown = {field: table(show(interface, field)) for field in FIELDS} | {
            "show": sections(show(interface)),
            "show with keys": sections(show(interface, environment={"WG_HIDE_KEYS": "never"})),
            "show all": sections(self.interfaces_shown(show("all"), interface)),
            "show all dump": table("\n".join(line for line in of_all if line.startswith(f"{interface}\t"))),
            "show interfaces": interface in show("interfaces").split(),
            "showconf": sections(self.wg(self.one, "showconf", interface)),
            "get": answer_sections(without_times(self.ask(interface, "get=1\n\n"))),
        }
        self.assertEqual(shown["show all"], shown["show"])
        return shown

    def expect_same(self, ours, theirs):
        for name in theirs:
            with self.subTest(name):
                self.assertEqual(ours[name], theirs[name])

    def tell(self, request):
        self.assertEqual(self.ask("wg1", f"set=1\n{request}\n"), "errno=0\n\n", request)


class States(WgShowLab):
    def each(self, do):
        """What `do` returns with each of the programs as wg1."""
        results = []
        for program in PROGRAMS:
            process = self.start(self.one, "wg1", program=program)
            results.append(do())
            process.stop()
        return results

    def test_that_the_control_socket_is_told_look_the_same(self):
        def go_through():
            shown = {}
            for name, request in STATES.items():
                self.tell(request)
                shown[name] = self.shown("wg1")
            return shown

        ours, theirs = self.each(go_through)
        for name in STATES:
            with self.subTest(state=name):
                self.expect_same(ours[name], theirs[name])
        self.assertEqual(len(theirs["peers with much"]["peers"]), 3)
        self.assertEqual(len(theirs["itself as a peer"]["peers"]), 3)
        self.assertEqual(len(theirs["a peer that it becomes itself"]["peers"]), 2)
        self.assertEqual(len(theirs["no peers"]["peers"]), 0)

    def test_that_wg_sets_look_the_same(self):
        psk, own = (self.one.write(name, base64_of(key_of(name))) for name in ("psk", "own"))
        alice, bob = (base64_of(key_of(name)) for name in ("alice", "bob"))
        commands = [
            ["private-key", own, "listen-port", "51820", "fwmark", "0xcafe"],
            ["peer", alice, "preshared-key", psk, "endpoint", "198.51.100.2:1", "allowed-ips", "10.0.0.1,fd00::1/64"],
            ["peer", bob, "persistent-keepalive", "25", "allowed-ips", "10.0.0.0/8,10.0.0.1/32"],
            ["peer", bob, "persistent-keepalive", "off", "allowed-ips", ""],
            ["peer", alice, "preshared-key", "/dev/null", "endpoint", "[2001:db8:1::2]:2"],
            ["fwmark", "off", "private-key", "/dev/null", "peer", bob, "remove"],
        ]

        def go_through():
            shown = []
            for command in commands:
                self.wg(self.one, "set", "wg1", *command)
                shown.append(self.shown("wg1"))
            return shown

        for command, ours, theirs in zip(commands, *self.each(go_through)):
            with self.subTest(command=command):
                self.expect_same(ours, theirs)

    def test_are_the_same_again_when_the_configuration_shown_is_set(self):
        configurations = []

        def set_what_was_shown():
            if configurations:
                self.wg(self.one, "setconf", "wg1", self.one.write("shown.conf", configurations[-1]))
            else:
                self.tell(STATES["a private key again"])
                self.tell(STATES["peers with much"])
            configurations.append(self.wg(self.one, "showconf", "wg1"))
            return self.shown("wg1")

        self.expect_same(*self.each(set_what_was_shown))
        self.expect_same(*reversed(self.each(set_what_was_shown)))


class Differences(WgShowLab):
    """Where adit does as the kernel's WireGuard does, or better, and wireguard-go does not."""

    def port(self):
        return int(self.wg(self.one, "show", "wg1", "listen-port"))

    def test_no_port_is_taken_before_the_interface_is_up(self):
        """As in the kernel.  Since a kernel's change in how it answers an empty write to a tun, wireguard-go takes its
        interface to be up from the beginning; which of the two it does here is its own affair.  Up, both have one."""
        for program in PROGRAMS:
            with self.subTest(program):
                process = self.start(self.one, "wg1", program=program)
                if program == lab.ADIT:
                    self.assertEqual(self.bound_ports(self.one), set())
                    self.assertEqual(self.port(), 0)
                    self.assertEqual(self.ask("wg1", "get=1\n\n"), "errno=0\n\n")
                self.one.ip("link", "set", "wg1", "up")
                lab.wait_until(self.port, "a port")
                self.assertEqual(self.bound_ports(self.one), {self.port()})
                self.assertEqual(answer_sections(self.ask("wg1", "get=1\n\n"))[0].keys(), {"listen_port", "errno"})
                process.stop()

    def test_an_endpoint_keeps_its_zone(self):
        """A link-local address means nothing without; wireguard-go uses the zone, but does not tell it."""
        index = self.one.ip("-o", "link", "show", "eth0").split(":")[0]
        for program, told, shown in zip(PROGRAMS, (f"%{index}", ""), ("%eth0", "")):
            with self.subTest(program):
                process = self.start(self.one, "wg1", program=program)
                for zone in ("eth0", index):
                    self.tell(f"{ALICE}endpoint=[fe80::1%{zone}]:7\n")
                    self.assertIn(f"\nendpoint=[fe80::1{told}]:7\n", self.ask("wg1", "get=1\n\n"))
                    endpoint = self.wg(self.one, "show", "wg1", "endpoints").split()[1]
                    self.assertEqual(endpoint, f"[fe80::1{shown}]:7")
                process.stop()

    def test_a_mapped_address_is_the_ipv4_address_that_it_stands_for(self):
        """wireguard-go keeps ::ffff:a.b.c.d as IPv6, but nothing leaves for such an endpoint: it has an IPv6 socket
        only.  As an allowed IP it could be meant for either version, and adit refuses it."""
        expected = ("192.0.2.2:7", "errno=-22\n\n"), ("[::ffff:192.0.2.2]:7", "errno=0\n\n")
        for program, (endpoint, answer) in zip(PROGRAMS, expected):
            with self.subTest(program):
                process = self.start(self.one, "wg1", program=program)
                self.tell(f"{ALICE}endpoint=[::ffff:192.0.2.2]:7\n")
                self.assertEqual(self.endpoint("wg1"), endpoint)
                request = f"set=1\n{ALICE}allowed_ip=::ffff:10.0.0.1/128\n\n"
                self.assertEqual(self.ask("wg1", request), answer)
                process.stop()


class Traffic(WgShowLab):
    SIZES = (0, 1, 4, 56, 1371, 1372, 1391, 1392, 3000)  # of pings; some fill the MTU, one takes fragments

    def inner_packets(self, size):
        """Lengths of the IPv4 packets that a ping goes in."""
        data, room = size + 8, MTU - 20
        if data <= room:
            return [20 + data]
        room -= room % 8
        return [20 + room] * (data // room) + [20 + data % room]

    def on_the_wire(self, size):
        """Bytes of messages for a ping: padded to 16 bytes, but not beyond the MTU."""
        return sum(min(-(-length // 16) * 16, MTU) + KEEPALIVE for length in self.inner_packets(size))

    def each(self, do, endpoint="192.0.2.2:51820", others_endpoint=None):
        """What `do` returns of a tunnel to adit from each of the programs as wg1."""
        results = []
        for program in PROGRAMS:
            processes = self.start(self.one, "wg1", program=program), self.start(self.two, "wg2")
            self.configure(self.one, "wg1", self.keys_one, self.keys_two, endpoint, 1, 2)
            self.configure(self.two, "wg2", self.keys_two, self.keys_one, others_endpoint, 2, 1)
            self.address(self.one, "wg1", 1)
            self.address(self.two, "wg2", 2)
            for node in (self.one, self.two):  # or the first initiation could come too early, and another be counted
                lab.wait_until(lambda: self.bound_ports(node) == {51820}, f"{node.name} listens")
            results.append(do())
            for process in processes:
                process.stop()
        return results

    def latest_handshake(self):
        return int(self.wg(self.one, "show", "wg1", "latest-handshakes").split()[1])

    def expect_same_counts(self, node, address, received, sent, **endpoints):
        """Of pings through a tunnel whose handshake takes so many bytes."""

        def ping():
            began = int(time.time())
            for size in self.SIZES:
                self.assertTrue(self.pings(node, address, "-s", str(size)), size)
            self.assertTrue(began <= self.latest_handshake() <= time.time())
            return self.shown("wg1")

        ours, theirs = self.each(ping, **endpoints)
        self.expect_same(ours, theirs)
        pings = sum(map(self.on_the_wire, self.SIZES))
        self.assertEqual(ours["transfer"][0][1:], [[str(received + pings)], [str(sent + pings)]])
        self.assertEqual(ours["latest-handshakes"][0][1:], [["then"]])

    def test_that_it_began_is_counted_the_same(self):
        self.expect_same_counts(self.one, "10.0.0.2", RESPONSE, INITIATION)

    def test_that_the_other_side_began_is_counted_the_same(self):
        endpoints = {"endpoint": None, "others_endpoint": "192.0.2.1:51820"}
        self.expect_same_counts(self.two, "10.0.0.1", INITIATION, RESPONSE, **endpoints)

    def test_that_nobody_answers_is_counted_the_same(self):
        def ping_nobody():
            self.run_on(self.one, "ping", "-n", "-c", "1", "-W", "0.1", "10.0.0.2")
            lab.wait_until(lambda: self.transfer("wg1") != (0, 0), "an initiation")
            return self.shown("wg1")

        ours, theirs = self.each(ping_nobody, endpoint="192.0.2.2:9")
        self.expect_same(ours, theirs)
        self.assertEqual(ours["transfer"][0][1:], [["0"], [str(INITIATION)]])
        self.assertEqual(ours["latest-handshakes"][0][1:], [["0"]])

    def test_of_keepalives_is_counted_the_same(self):
        def keep_alive():
            peer = self.keys_two.public
            self.wg(self.one, "set", "wg1", "peer", peer, "persistent-keepalive", "1")
            enough = INITIATION + 3 * KEEPALIVE
            lab.wait_until(lambda: self.transfer("wg1")[1] >= enough, "an initiation and three keepalives")
            self.wg(self.one, "set", "wg1", "peer", peer, "persistent-keepalive", "0")
            received, sent = self.transfer("wg1")
            self.assertEqual(received, RESPONSE)
            self.assertEqual((sent - INITIATION) % KEEPALIVE, 0, sent)
            lab.wait_until(lambda: self.transfer("wg2") == (sent, received), "the other counts them as well")

        self.each(keep_alive)


if __name__ == "__main__":
    unittest.main()
