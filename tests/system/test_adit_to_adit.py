"""adit at both ends: what the kernel sends into the tunnel arrives, whatever the outside is and whoever begins."""

import json
import pathlib
import random
import socket
import threading
import time
import unittest

import factorio
import lab

VPS_OUTSIDE = {"IPv4": "198.51.100.1:342", "IPv6": "[2001:db8:2::1]:342"}
HOME_OUTSIDE = {"IPv4": "198.51.100.2:342", "IPv6": "[2001:db8:2::2]:342"}
INSIDE = {"IPv4": ("10.1.2.5", "10.1.2.2"), "IPv6": ("fd00:1:2::5", "fd00:1:2::2")}


class Ends(factorio.FactorioTest):
    def start_adit_at_home(self, **peer):
        return self.keep(factorio.Gateway(self.home, lab.toml(
            ("[interface]", {
                "name": "wg0",
                "private_key": self.home_keys.private,
                "listen_port": 342,
                "addresses": ["10.1.2.2/24", "fd00:1:2::2/64"],
            }),
            ("[[peer]]", {
                "name": "vps",
                "public_key": self.vps_keys.public,
                "allowed_ips": ["10.1.2.5/32", "fd00:1:2::5/128"],
            } | peer),
        )))

    def ping(self, node, address, size=56, whole=True):
        # -A: the next one as soon as an answer is there.
        options = ("-A", "-c", "4", "-w", lab.GENEROUS - 5, "-s", size, "-M", "do" if whole else "dont")
        result = node.run("ping", *options, address)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("4 received", result.stdout)


class AditToAdit(Ends):
    def test_either_side_may_begin_over_either_ip_version(self):
        for outside in VPS_OUTSIDE:
            for inside, (vps_address, home_address) in INSIDE.items():
                for begins in ("vps", "home"):
                    with self.subTest(outside=outside, inside=inside, begins=begins):
                        vps_peer = {"endpoint": HOME_OUTSIDE[outside]} if begins == "vps" else {}
                        home_peer = {"endpoint": VPS_OUTSIDE[outside]} if begins == "home" else {}
                        gateway, home = self.start_gateway(peer=vps_peer), self.start_adit_at_home(**home_peer)
                        sides = [(self.vps, home_address), (self.home, vps_address)]
                        for node, address in sides if begins == "vps" else reversed(sides):
                            self.ping(node, address)
                        self.assertEqual(gateway.peer()["endpoint"], HOME_OUTSIDE[outside])
                        self.assertEqual(home.peer()["endpoint"], VPS_OUTSIDE[outside])
                        gateway.finish()
                        home.finish()

    def start_both(self):
        gateway = self.start_gateway()
        home = self.start_adit_at_home(endpoint=VPS_OUTSIDE["IPv4"], persistent_keepalive=1)
        gateway.wait_for_handshake()
        return gateway, home

    def test_packets_as_large_as_the_mtu_and_larger_ones_in_fragments(self):
        self.start_both()
        for _, address in INSIDE.values():
            headers = 48 if ":" in address else 28
            for size, whole in ((1420 - headers, True), (1420 - headers + 1, False), (8000, False)):
                with self.subTest(address=address, size=size):
                    self.ping(self.vps, address, size, whole)

    def iperf(self, address, *options):
        """What the receiver has to say about a run from the VPS to home."""
        server = self.keep(lab.Process(
            self.home.command("iperf3", "--server", "--one-off", "--forceflush", "--bind", address),
            self.directory / "iperf3.log",
        ))
        server.wait_for_log("Server listening")
        client = self.vps.run("iperf3", "--client", address, "--json", *options, timeout=30)
        report = json.loads(client.stdout)
        self.assertNotIn("error", report)
        server.wait()
        return report["end"]

    def test_tcp_as_fast_as_it_goes(self):
        self.start_both()
        for _, address in INSIDE.values():
            for direction in ((), ("--reverse",)):
                with self.subTest(address=address, direction=direction):
                    end = self.iperf(address, "--time", "1", *direction)
                    self.assertGreater(end["sum_received"]["bytes"], 1 << 20)

    def test_every_byte_of_a_tcp_connection(self):
        self.start_both()
        sent = random.Random(0).randbytes(8 << 20)
        for _, address in INSIDE.values():
            with self.subTest(address=address):
                listener = self.home.socket(lab.family_of(address), socket.SOCK_STREAM)
                client = self.vps.socket(lab.family_of(address), socket.SOCK_STREAM)
                with listener, client:
                    listener.bind((address, 7000))
                    listener.listen()
                    client.settimeout(lab.GENEROUS)
                    client.connect((address, 7000))
                    sender = threading.Thread(target=lambda: (client.sendall(sent), client.shutdown(socket.SHUT_WR)))
                    sender.start()
                    server, _ = listener.accept()
                    server.settimeout(lab.GENEROUS)
                    with server, server.makefile("rb") as stream:
                        self.assertTrue(stream.read() == sent, "the bytes differ")
                    sender.join()

    def test_udp_at_a_quiet_pace_loses_next_to_nothing(self):
        gateway, home = self.start_both()
        for _, address in INSIDE.values():
            with self.subTest(address=address):
                end = self.iperf(address, "--udp", "--bitrate", "10M", "--bytes", "1M", "--length", "1300")
                self.assertGreater(end["sum"]["packets"], 800)
                self.assertLess(end["sum"]["lost_percent"], 2)
        self.assertEqual(gateway.drops(), {})
        self.assertEqual(home.drops(), {})

    def test_forwards_work_with_adit_at_home_too(self):
        self.start_both()
        self.start_service()
        for address in self.PUBLIC:
            for _, port in (self.SERVICE, self.SERVICE6):
                self.assertEqual(self.player(self.players, address, port).ask(b"hello"), b"hello")


class EndpointNames(Ends):
    def start_both_by_name(self):
        return self.start_gateway(), self.start_adit_at_home(endpoint="gateway.example:342", persistent_keepalive=1)

    def replace(self, path, text):
        """Makes a file of the system say `text`, for this test's programs only."""
        ours = self.directory / path.name
        is_new = not ours.exists()
        ours.write_text(text)
        if is_new:
            ours.chmod(0o644)
            lab.run("mount", "--bind", str(ours), str(path), check=True)
            self.addCleanup(lab.run, "umount", str(path), check=True)

    def name_hosts(self, text):
        self.replace(pathlib.Path("/etc/hosts"), text)

    def test_are_looked_up(self):
        for outside, address in (("IPv4", "198.51.100.1"), ("IPv6", "2001:db8:2::1")):
            with self.subTest(outside=outside):
                self.name_hosts(f"127.0.0.1 localhost\n{address} gateway.example\n")
                gateway, home = self.start_both_by_name()
                self.ping(self.home, "10.1.2.5")
                self.assertEqual(home.peer()["endpoint"], VPS_OUTSIDE[outside])
                gateway.finish()
                home.finish()

    def test_are_looked_up_again_when_nobody_answers_there(self):
        self.name_hosts("198.51.100.99 gateway.example\n")
        gateway, home = self.start_both_by_name()
        lab.wait_until(lambda: home.peer()["endpoint"] == "198.51.100.99:342", "the old address")
        self.name_hosts("198.51.100.1 gateway.example\n")
        gateway.wait_for_handshake(timeout=30)

    def test_that_nobody_knows_are_tried_again(self):
        self.name_hosts("127.0.0.1 localhost\n")
        gateway, home = self.start_both_by_name()
        home.wait_for_log("look up gateway.example")
        self.name_hosts("198.51.100.1 gateway.example\n")
        gateway.wait_for_handshake(timeout=30)

    @unittest.skipUnless(pathlib.Path("/etc/resolv.conf").exists(), "there is no /etc/resolv.conf to replace")
    def test_whose_server_is_silent_hold_up_neither_start_nor_end(self):
        self.replace(pathlib.Path("/etc/resolv.conf"), "nameserver 198.51.100.1\n")
        self.name_hosts("127.0.0.1 localhost\n")
        with self.vps.socket(socket.AF_INET) as server:
            server.bind(("198.51.100.1", 53))
            server.settimeout(lab.GENEROUS)
            home = self.start_adit_at_home(endpoint="gateway.example:342")
            self.assertIn(b"gateway", server.recv(512))
            home.show()
            begin = time.monotonic()
            self.assertEqual(home.stop(), 0)
            self.assertLess(time.monotonic() - begin, 2)


if __name__ == "__main__":
    unittest.main()
