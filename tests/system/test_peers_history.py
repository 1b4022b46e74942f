"""What other implementations once got wrong, and what shows only where programs, kernel and control socket meet."""

import shutil
import sys
import unittest

import lab
from drop_in import RUN_DIRECTORY, DropInLab

# Runs a program for which the kernel has no IPv6 sockets, as where that is not built in: socket(2) fails with
# EAFNOSUPPORT (97).  A seccomp filter outlives exec.
WITHOUT_IPV6 = """#!{python}
import ctypes, os, platform, socket, struct, sys
SOCKET = {{"x86_64": 41}}.get(platform.machine(), 198)
LOAD, JUMP_IF, RETURN, ALLOW, FAIL = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000
steps = [(LOAD, 0, 0, 0), (JUMP_IF, 0, 3, SOCKET), (LOAD, 0, 0, 16), (JUMP_IF, 0, 1, socket.AF_INET6),
         (RETURN, 0, 0, FAIL | 97), (RETURN, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
    sys.exit(os.strerror(ctypes.get_errno()))
os.execv("{adit}", ["{adit}", *sys.argv[1:]])
"""


class Fwmark(DropInLab):
    def test_is_set_while_it_runs_and_on_every_socket_from_then_on(self):
        self.start_both()
        self.expect_tunnel()
        for name in ("all", "eth0"):  # what comes in has no mark, and shall come in all the same
            self.run_on(self.one, "sh", "-c", f"echo 0 > /proc/sys/net/ipv4/conf/{name}/rp_filter", check=True)
        self.one.ip("rule", "add", "priority", "10", "fwmark", "0x2a", "lookup", "main")
        self.one.ip("rule", "add", "priority", "11", "to", "192.0.2.2", "prohibit")

        def arrives():
            return self.pings(self.one, "10.0.0.2")

        self.assertFalse(arrives(), "only what is marked may leave")
        self.wg(self.one, "set", "wg1", "fwmark", "0x2a")
        lab.wait_until(arrives, "a ping under the mark")
        self.wg(self.one, "set", "wg1", "listen-port", "4000")
        lab.wait_until(arrives, "a ping from another port")
        for state in ("down", "up"):
            self.one.ip("link", "set", "wg1", state)
        lab.wait_until(arrives, "a ping when it is up again")
        self.wg(self.one, "set", "wg1", "fwmark", "off")
        self.assertFalse(arrives(), "the mark is gone")


class PresharedKey(DropInLab):
    def test_that_changes_reaches_peers_that_are_up(self):
        first, second = (lab.run("wg", "genpsk").stdout.strip() for _ in range(2))
        self.start_both(PresharedKey=first)
        self.expect_tunnel()

        def change(node, interface, peer):
            self.wg(node, "set", interface, "peer", peer.public, "preshared-key", "/dev/stdin", text=second)

        change(self.one, "wg1", self.keys_two)
        self.assertTrue(self.pings(self.one, "10.0.0.2"), "the session goes on")
        for state in ("down", "up"):  # which ends it
            self.one.ip("link", "set", "wg1", state)
        self.assertFalse(self.pings(self.one, "10.0.0.2"), "they have different keys")
        change(self.two, "wg2", self.keys_one)
        lab.wait_until(lambda: self.pings(self.one, "10.0.0.2"), "a ping under the new key")


class Start(DropInLab):
    def without_ipv6(self):
        return self.one.write("adit", WITHOUT_IPV6.format(python=sys.executable, adit=lab.ADIT), 0o755)

    def expect_tunnel_by_ipv4_only(self):
        self.start(self.two, "wg2")
        self.configure(self.two, "wg2", self.keys_two, self.keys_one, None, 2, 1)
        self.address(self.two, "wg2", 2)
        lab.wait_until(lambda: self.pings(self.one, "10.0.0.2"), "a ping")
        sockets = self.run_on(self.one, "ss", "-Hlnu").stdout
        self.assertIn("0.0.0.0:51820", sockets)
        self.assertNotIn("[::]:51820", sockets)

    def test_where_there_is_no_ipv6(self):
        self.start(self.one, "wg1", program=self.without_ipv6())
        self.configure(self.one, "wg1", self.keys_one, self.keys_two, "192.0.2.2:51820", 1, 2)
        self.address(self.one, "wg1", 1)
        self.expect_tunnel_by_ipv4_only()

    def test_of_a_gateway_with_a_configuration_where_there_is_no_ipv6(self):
        config = lab.toml(
            ("[interface]", {"name": "wg1", "private_key": self.keys_one.private, "listen_port": 51820,
                             "addresses": ["10.0.0.1/24"]}),
            ("[[peer]]", {"public_key": self.keys_two.public, "allowed_ips": ["10.0.0.2/32"],
                          "endpoint": "192.0.2.2:51820"}),
        )
        words = self.one.command(self.without_ipv6(), "run", "-c", self.one.write("adit.toml", config))
        self.keep(lab.Process(words, self.one.directory / "wg1.log", expect_exit=0)).wait_for_log("ready")
        self.expect_tunnel_by_ipv4_only()

    def test_where_there_is_no_directory_for_its_socket(self):
        shutil.rmtree(RUN_DIRECTORY, ignore_errors=True)
        self.start(self.one, "wg1")
        self.assertEqual(RUN_DIRECTORY.stat().st_mode & 0o777, 0o755)
        self.assertIn("wg1", self.wg(self.one, "show", "interfaces").split())


if __name__ == "__main__":
    unittest.main()
