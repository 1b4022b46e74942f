"""adit in wireguard-go's place: its command line, environment and control socket; with `wg`, `wg-quick` and `ip`."""

import base64
import fcntl
import os
import signal
import socket
import struct
import subprocess
import unittest

import lab
from drop_in import RUN_DIRECTORY, DropInLab, processes_of, socket_of

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


class Tunnels(DropInLab):
    def test_between_two_of_us(self):
        self.start_both()
        self.expect_tunnel()

    def test_with_wireguard_go(self):
        self.start_both(other_program="wireguard-go", PresharedKey=lab.run("wg", "genpsk").stdout.strip())
        self.expect_tunnel()

    def test_have_sockets_only_while_the_interface_is_up(self):
        self.start_both()
        self.expect_tunnel()

        def has_port():
            return ":51820" in self.run_on(self.one, "ss", "-Hlnu").stdout

        self.assertTrue(has_port())
        for _ in range(3):
            self.one.ip("link", "set", "wg1", "down")
            lab.wait_until(lambda: not has_port(), "no socket")
            self.one.ip("link", "set", "wg1", "up")
            lab.wait_until(has_port, "a socket")
        self.one.add_address("wg1", "fd00::1/64")  # IPv6 forgets them on the way down
        self.expect_tunnel()

    def test_follow_the_mtu(self):
        self.start_both()
        self.assertIn("mtu 1420", self.one.ip("link", "show", "wg1"))
        for mtu in (65535, 9000, 1280):
            for node, interface in ((self.one, "wg1"), (self.two, "wg2")):
                node.ip("link", "set", interface, "mtu", mtu)
            size = min(mtu - 28, 65000)  # what fits one outer datagram
            lab.wait_until(lambda: self.pings(self.one, "10.0.0.2", "-s", str(size)), f"a packet of {mtu} bytes")

    def test_of_a_tun_that_lives_in_another_namespace(self):
        self.start_both()
        self.expect_tunnel()
        inside = self.node("inside")
        self.one.ip("link", "set", "wg1", "netns", "inside")
        self.address(inside, "wg1", 1)
        lab.wait_until(lambda: self.pings(inside, "10.0.0.2"), "a ping from inside")
        self.assertTrue(self.pings(inside, "fd00::2"))
        inside.ip("link", "set", "wg1", "down")
        lab.wait_until(lambda: ":51820" not in self.run_on(self.one, "ss", "-Hlnu").stdout, "no socket")
        inside.ip("link", "set", "wg1", "netns", "one")
        self.address(self.one, "wg1", 1)
        self.expect_tunnel()


class Wg(DropInLab):
    def test_shows_every_field(self):
        psk = lab.run("wg", "genpsk").stdout.strip()
        self.start_both(PresharedKey=psk, PersistentKeepalive=7)
        self.wg(self.one, "set", "wg1", "fwmark", "0x2a")
        self.expect_tunnel()
        interface, peer = (line.split("\t") for line in self.wg(self.one, "show", "wg1", "dump").splitlines())
        self.assertEqual(interface, [self.keys_one.private, self.keys_one.public, "51820", "0x2a"])
        self.assertEqual(peer[:4], [self.keys_two.public, psk, "192.0.2.2:51820", "10.0.0.2/32,fd00::2/128"])
        self.assertLess(abs(int(peer[4]) - int(self.run_on(self.one, "date", "+%s").stdout)), 60)
        self.assertGreater(int(peer[5]), 148 + 64)
        self.assertGreater(int(peer[6]), 92 + 64)
        self.assertEqual(peer[7], "7")
        self.assertIn("wg1", self.wg(self.one, "show", "interfaces").split())

    def test_shows_an_interface_that_has_nothing(self):
        self.start(self.one, "wg1")
        self.assertEqual(self.wg(self.one, "show", "wg1"), "interface: wg1\n")
        self.assertEqual(self.ask("wg1", "get=1\n\n"), "errno=0\n\n")
        shown = self.run_on(self.one, lab.ADIT, "show", "wg1", check=True).stdout
        self.assertIn("(none)", shown)

    def test_conf_commands_set_add_and_synchronise(self):
        self.start_both()
        third = lab.Keys()
        more = self.one.write("more.conf", f"[Peer]\nPublicKey = {third.public}\nAllowedIPs = 10.0.3.0/24\n")
        self.wg(self.one, "addconf", "wg1", more)
        self.expect_tunnel()
        self.assertEqual(len(self.wg(self.one, "show", "wg1", "peers").split()), 2)
        shown = self.one.write("shown.conf", self.wg(self.one, "showconf", "wg1"))
        self.assertIn(f"PrivateKey = {self.keys_one.private}", shown.read_text())
        handshakes = self.wg(self.one, "show", "wg1", "latest-handshakes")
        self.wg(self.one, "syncconf", "wg1", shown)
        self.assertEqual(self.wg(self.one, "show", "wg1", "latest-handshakes"), handshakes, "nothing has changed")
        self.wg(self.one, "syncconf", "wg1", self.one.directory / "wg1.conf")
        self.assertEqual(self.wg(self.one, "show", "wg1", "peers").split(), [self.keys_two.public])
        self.expect_tunnel()
        self.wg(self.one, "setconf", "wg1", more)
        self.assertEqual(self.wg(self.one, "show", "wg1", "private-key").strip(), "(none)")
        self.assertEqual(self.wg(self.one, "show", "wg1", "peers").split(), [third.public])

    def test_sets_and_removes(self):
        self.start_both()
        peer = self.keys_two.public
        self.wg(self.one, "set", "wg1", "peer", peer, "allowed-ips", "10.0.0.0/24,fd00::/64")
        self.assertEqual(self.wg(self.one, "show", "wg1", "allowed-ips").split(), [peer, "10.0.0.0/24", "fd00::/64"])
        self.wg(self.one, "set", "wg1", "peer", peer, "remove")
        self.assertEqual(self.wg(self.one, "show", "wg1", "peers"), "")
        self.assertFalse(self.pings(self.one, "10.0.0.2"))
        self.configure_both()
        self.expect_tunnel()

    def test_changes_the_listening_port_of_a_tunnel_that_carries(self):
        self.start_both(PersistentKeepalive=1)
        self.expect_tunnel()
        self.wg(self.one, "set", "wg1", "listen-port", "4000")
        self.assertEqual(self.wg(self.one, "show", "wg1", "listen-port").strip(), "4000")
        self.expect_tunnel()
        lab.wait_until(
            lambda: "192.0.2.1:4000" in self.wg(self.two, "show", "wg2", "endpoints"), "the endpoint has roamed"
        )
        self.wg(self.one, "set", "wg1", "listen-port", "0")
        self.assertGreater(int(self.wg(self.one, "show", "wg1", "listen-port")), 0)
        self.expect_tunnel()

    def test_changes_the_private_key_of_a_tunnel_that_carries(self):
        self.start_both()
        self.expect_tunnel()
        new = lab.Keys()
        self.wg(self.one, "set", "wg1", "private-key", "/dev/stdin", text=new.private)
        self.wg(self.two, "set", "wg2", "peer", self.keys_one.public, "remove")
        self.wg(self.two, "set", "wg2", "peer", new.public, "allowed-ips", "10.0.0.1/32,fd00::1/128")
        lab.wait_until(lambda: self.pings(self.one, "10.0.0.2"), "a ping under the new key")
        self.expect_tunnel()

    def test_says_what_went_wrong(self):
        self.start_both()
        with self.one.socket(socket.AF_INET) as holder:
            holder.bind(("0.0.0.0", 4000))
            result = self.run_on(self.one, "wg", "set", "wg1", "listen-port", "4000")
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("Unable to modify interface: Address already in use", result.stderr)
        self.assertEqual(self.wg(self.one, "show", "wg1", "listen-port").strip(), "51820")
        self.expect_tunnel()

    def test_takes_ten_thousand_peers_at_once(self):
        self.start(self.one, "wg1")
        lines = ["[Interface]", f"PrivateKey = {self.keys_one.private}"]
        for number in range(10_000):
            lines += ["[Peer]", f"PublicKey = {base64.b64encode(os.urandom(32)).decode()}"]
            lines.append("AllowedIPs = " + ", ".join(f"10.{number // 256}.{number % 256}.{i}/32" for i in range(3)))
        self.wg(self.one, "setconf", "wg1", self.one.write("many.conf", "\n".join(lines) + "\n"), timeout=60)
        self.assertEqual(len(self.wg(self.one, "show", "wg1", "peers", timeout=60).split()), 10_000)
        self.wg(self.one, "setconf", "wg1", self.one.write("none.conf", "[Interface]\n"), timeout=60)
        self.assertEqual(self.wg(self.one, "show", "wg1", "peers"), "")


class ControlSocket(DropInLab):
    def test_answers_with_the_numbers_of_wireguard_go(self):
        key = "11" * 32
        requests = {
            "set=1\n\n": 0,
            "set=1\n": 0,
            "get=1\nx": -22,
            "set=1\nlisten_port\n\n": -71,
            "set=1\nlisten_port=65536\n\n": -22,
            "set=1\nlisten_port=-1\n\n": -22,
            "set=1\nprivate_key=11\n\n": -22,
            "set=1\nfrobnicate=1\n\n": -22,
            f"set=1\npublic_key={key}\nlisten_port=1\n\n": -22,
            f"set=1\npublic_key={key}\nendpoint=name.example:1\n\n": -22,
            f"set=1\npublic_key={key}\nallowed_ip=10.0.0.0\n\n": -22,
            f"set=1\npublic_key={key}\nprotocol_version=2\n\n": -22,
            f"set=1\npublic_key={key}\nremove=yes\n\n": -22,
            f"set=1\npublic_key={key}\nremove=true\n\n": 0,
        }
        for program, interface in ((lab.ADIT, "wg1"), ("wireguard-go", "wg2")):
            process = self.start(self.one, interface, program=program)
            for request, number in requests.items():
                with self.subTest(program=program, request=request):
                    # Whoever ends in the middle of a request may find the connection closed.
                    answer = self.ask(interface, request.rstrip("x") + ("x\n" if request.endswith("x") else ""))
                    self.assertEqual(answer, f"errno={number}\n\n")
            process.stop()

    def test_serves_others_while_one_does_not_read(self):
        self.start(self.one, "wg1")
        peers = "".join(f"public_key={number:064x}\n" for number in range(1, 3000))
        self.assertEqual(self.ask("wg1", f"set=1\n{peers}\n"), "errno=0\n\n")
        with socket.socket(socket.AF_UNIX) as stuck, socket.socket(socket.AF_UNIX) as half:
            for client in (stuck, half):
                client.connect(str(socket_of("wg1")))
            stuck.sendall(b"get=1\n\n" * 100)
            half.sendall(b"set=1\nlisten_port=")
            self.assertEqual(self.ask("wg1", "get=1\n\nget=1\n\n").count("errno=0\n\n"), 2)

    def test_of_a_gateway_with_a_configuration_does_the_same(self):
        config = lab.toml(
            ("[interface]", {"name": "wg1", "private_key": self.keys_one.private, "addresses": ["10.0.0.1/24"]}),
            ("[[peer]]", {"public_key": self.keys_two.public, "allowed_ips": ["10.0.0.2/32"]}),
        )
        words = self.one.command(lab.ADIT, "run", "-c", self.one.write("adit.toml", config))
        self.keep(lab.Process(words, self.one.directory / "wg1.log", expect_exit=0)).wait_for_log("ready")
        self.start(self.two, "wg2")
        self.configure(self.two, "wg2", self.keys_two, self.keys_one, None, 2, 1)
        self.address(self.two, "wg2", 2)
        self.wg(self.one, "set", "wg1", "peer", self.keys_two.public, "endpoint", "192.0.2.2:51820")
        lab.wait_until(lambda: self.pings(self.one, "10.0.0.2"), "a ping to the endpoint that wg set")
        self.assertIn("latest handshake", self.wg(self.one, "show", "wg1"))
        for state in ("down", "up"):
            self.one.ip("link", "set", "wg1", state)
        lab.wait_until(lambda: self.pings(self.one, "10.0.0.2"), "a ping when it is up again")


class Ends(DropInLab):
    def expect_end(self, process):
        self.assertEqual(process.wait(), 0)
        self.expect_nothing_left(self.one, "wg1")

    def test_when_its_socket_is_removed(self):
        process = self.start(self.one, "wg1")
        socket_of("wg1").unlink()
        self.expect_end(process)

    def test_when_its_interface_is_deleted(self):
        for up in ("down", "up"):
            with self.subTest(up):
                process = self.start(self.one, "wg1")
                self.one.ip("link", "set", "wg1", up)
                self.one.ip("link", "del", "wg1")
                self.expect_end(process)

    def test_when_its_interface_is_deleted_in_another_namespace(self):
        inside = self.node("inside")
        process = self.start(self.one, "wg1")
        self.one.ip("link", "set", "wg1", "netns", "inside")
        inside.ip("link", "del", "wg1")
        self.expect_end(process)

    def test_when_the_namespace_of_its_interface_is_deleted(self):
        lab.run("ip", "netns", "add", "brief", check=True)
        process = self.start(self.one, "wg1")
        self.one.ip("link", "set", "wg1", "netns", "brief")
        lab.run("ip", "-n", "brief", "link", "set", "wg1", "up", check=True)
        lab.run("ip", "netns", "del", "brief", check=True)
        self.expect_end(process)

    def test_on_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                process = self.start(self.one, "wg1")
                process.popen.send_signal(number)
                self.expect_end(process)


class Starts(DropInLab):
    def background(self, *words, **environment):
        return self.run_on(self.one, *words, environment=environment or None)

    def test_in_the_background_and_is_there_when_the_command_returns(self):
        for attempt in range(3):
            result = self.background(lab.ADIT, "wg1")
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
            self.assertTrue(self.one.has_interface("wg1"))
            self.assertEqual(self.wg(self.one, "show", "wg1"), "interface: wg1\n")
            self.assertEqual(len(processes_of("wg1")), 1)
            self.assertEqual(socket_of("wg1").stat().st_mode & 0o077, 0)
            self.assertEqual(RUN_DIRECTORY.stat().st_mode & 0o777, 0o755)
            if attempt % 2:
                os.kill(processes_of("wg1")[0], signal.SIGTERM)
            else:
                self.one.ip("link", "del", "wg1")
            self.expect_nothing_left(self.one, "wg1")

    def test_in_the_background_and_ends_however_early_it_is_told_to(self):
        for _ in range(5):
            for end in (["ip", "link", "del", "wg1"], ["rm", socket_of("wg1")]):
                self.assertEqual(self.background(lab.ADIT, "wg1").returncode, 0)
                self.run_on(self.one, *end, check=True)
                self.expect_nothing_left(self.one, "wg1")

    def test_not_a_second_time(self):
        self.start(self.one, "wg1")
        result = self.background(lab.ADIT, "wg1")
        self.assertEqual(result.returncode, lab.EXIT_FAILED)
        self.assertRegex(result.stderr, "adit: .*wg1.*exists already")
        self.assertTrue(self.answers(self.one, "wg1"))

    def test_under_the_name_of_wireguard_go(self):
        program = self.directory / "wireguard-go"
        program.symlink_to(lab.ADIT)
        for words in ((), ("-f",), ("wg1", "more"), ("-f", "wg1", "more")):
            result = self.background(program, *words)
            self.assertEqual(result.returncode, 0)
            self.assertTrue(result.stdout.startswith("Usage: "), result.stdout)
        self.assertIn("wireguard-go", self.background(program, "--version").stdout)
        self.assertEqual(self.background(program, "check").returncode, 0, "an interface of that name")
        self.assertTrue(self.one.has_interface("check"))
        self.one.ip("link", "del", "check")
        self.expect_nothing_left(self.one, "check")

    def test_a_subcommand_where_its_name_is_one(self):
        self.assertEqual(self.background(lab.ADIT, "check").returncode, lab.EXIT_CONFIG)
        self.assertFalse(self.one.has_interface("check"))
        for words in (("-f",), ("wg1", "more"), ("-f", "wg1", "more"), ("--frobnicate",)):
            self.assertEqual(self.background(lab.ADIT, *words).returncode, lab.EXIT_USAGE, words)

    def test_with_descriptors_that_somebody_else_opened(self):
        with self.one.entered():
            tun = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"wg1", IFF_TUN | IFF_NO_PI))
        RUN_DIRECTORY.mkdir(exist_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(socket_of("wg1")))
        listener.listen()
        given = {"WG_TUN_FD": str(tun), "WG_UAPI_FD": str(listener.fileno()), "WG_PROCESS_FOREGROUND": "1"}
        log = self.directory / "given.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                self.one.command(lab.ADIT, "ignored"), env=os.environ | lab.SANITIZERS | given, stdout=output,
                stderr=output, pass_fds=(tun, listener.fileno()),
            )
        os.close(tun)
        listener.close()
        self.assertEqual(self.wg(self.one, "show", "wg1"), "interface: wg1\n", log.read_text())
        self.assertIn("mtu 1420", self.one.ip("link", "show", "wg1"))
        process.terminate()
        self.assertEqual(process.wait(lab.GENEROUS), 0, log.read_text())
        self.expect_nothing_left(self.one, "wg1")

    def test_not_with_descriptors_that_are_none(self):
        for given in ({"WG_TUN_FD": "77"}, {"WG_TUN_FD": "x"}, {"WG_UAPI_FD": "77"}, {"WG_TUN_FD": "0"}):
            with self.subTest(given):
                result = self.background(lab.ADIT, "-f", "wg1", **given)
                self.assertEqual(result.returncode, lab.EXIT_FAILED)
                self.assertTrue(result.stderr.startswith("adit: "), result.stderr)
                self.expect_nothing_left(self.one, "wg1")


class WgQuick(DropInLab):
    def quick(self, verb, conf):
        result = self.run_on(
            self.one, "wg-quick", verb, conf, environment={"WG_QUICK_USERSPACE_IMPLEMENTATION": lab.ADIT}
        )
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_goes_up_saves_and_goes_down_again_and_again(self):
        self.start(self.two, "wg2")
        self.configure(self.two, "wg2", self.keys_two, self.keys_one, None, 2, 1)
        self.address(self.two, "wg2", 2)
        conf = self.one.write("wg1.conf", "\n".join([
            "[Interface]", "Address = 10.0.0.1/24, fd00::1/64", f"PrivateKey = {self.keys_one.private}",
            "ListenPort = 51820", "SaveConfig = true", "[Peer]", f"PublicKey = {self.keys_two.public}",
            "AllowedIPs = 10.0.0.0/24, fd00::/64, 10.9.0.0/16", "Endpoint = 192.0.2.2:51820", "PersistentKeepalive = 1",
        ]) + "\n")
        for turn in range(3):
            self.quick("up", conf)
            self.expect_tunnel()
            self.assertIn("10.9.0.0/16 dev wg1", self.one.ip("route"))
            self.wg(self.one, "set", "wg1", "peer", self.keys_two.public, "persistent-keepalive", str(turn + 2))
            self.quick("save", conf)
            self.quick("down", conf)
            self.expect_nothing_left(self.one, "wg1")
            self.assertIn(f"PersistentKeepalive = {turn + 2}", conf.read_text())


if __name__ == "__main__":
    unittest.main()
