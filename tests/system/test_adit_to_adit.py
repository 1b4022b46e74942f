"""adit at both ends: what the kernel sends into the tunnel arrives, whatever the outside is and whoever begins."""

import json
import random
import socket
import threading
import unittest

import lab
from ends import HOME_OUTSIDE, INSIDE, VPS_OUTSIDE, Ends


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
                    end = self.iperf(address, "--bytes", str(4 << 20), *direction)
                    self.assertGreaterEqual(end["sum_sent"]["bytes"], 4 << 20)

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


if __name__ == "__main__":
    unittest.main()
