"""A flood from sources that do not exist, each datagram from another: who plays goes on, who is new comes in after."""

import json
import pathlib
import re
import selectors
import subprocess
import sys
import threading
import time
import unittest

import factorio
import lab

SPOOFER = pathlib.Path(__file__).with_name("spoofer.py")
MAX_FLOWS = 2048
RATE, SECONDS = 6_000, 10


class Crowd:
    """Players who send numbered datagrams at a steady rate, and what came back of them."""

    def __init__(self, players, per_second):
        self.players, self.pause = players, 1 / per_second
        self.sent, self.returned = 0, [set() for _ in players]
        self.selector = selectors.DefaultSelector()
        for number, player in enumerate(players):
            player.socket.setblocking(False)
            self.selector.register(player.socket, selectors.EVENT_READ, number)
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=work) for work in (self._send, self._receive)]
        for thread in self.threads:
            thread.start()

    def _send(self):
        due = time.monotonic()
        while not self.stopping.is_set():
            for player in self.players:
                player.send(b"%d" % self.sent)
            self.sent += 1
            due += self.pause
            time.sleep(max(0, due - time.monotonic()))

    def _receive(self):
        last = time.monotonic()
        while not self.stopping.is_set() or (not self._all_are_back() and time.monotonic() - last < 2):
            for key, _ in self.selector.select(0.1):
                self.returned[key.data].add(int(key.fileobj.recv(100)))
                last = time.monotonic()

    def _all_are_back(self):
        return all(len(each) == self.sent for each in self.returned)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def lost_share(self):
        """Of the player who lost most."""
        return max(1 - len(each) / self.sent for each in self.returned)


class SpoofedFlood(factorio.FactorioTest):
    def start(self, version, whom):
        service = (self.SERVICE, self.SERVICE6)[version]
        self.port = service[1]
        gateway = self.start_gateway(forward={"max_flows": MAX_FLOWS})
        self.start_home()
        script = self.keep(lab.Process(
            self.home.command(sys.executable, SPOOFER, "serve", *service, whom), self.directory / "service.log"
        ))
        script.wait_for_log("ready")
        gateway.wait_for_handshake()
        # What is answered to nobody goes to the players' machine, which has no use for it.
        self.vps.ip("route", "add", "default", "via", "203.0.113.10")
        self.vps.ip("route", "add", "default", "via", "2001:db8:1::10")

    def resident(self):
        """Of the gateway, in KiB."""
        status = pathlib.Path(f"/proc/{self.gateway.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s*(\d+)", status, re.MULTILINE)[1])

    def game(self):
        return self.gateway.forward(("factorio", "factorio6")[self.version])

    def flood(self, first_source):
        mac = json.loads(self.vps.ip("-j", "link", "show", "eth0"))[0]["address"]
        words = ["flood", "eth0", mac, first_source, self.PUBLIC[self.version], self.port, RATE, SECONDS]
        flood = subprocess.Popen(
            self.players.command(sys.executable, SPOOFER, *words), stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(flood.stdout.close)
        self.addCleanup(flood.wait)
        self.addCleanup(flood.kill)
        return flood

    def play_through(self, version, whom, first_source):
        self.version = version
        self.start(version, whom)
        players = [self.player(self.players, self.PUBLIC[version], self.port) for _ in range(16)]
        for player in players:
            for _ in range(2):
                self.assertTrue(player.is_answered(lab.GENEROUS))
        resident = self.resident()
        crowd = Crowd(players, 50)
        self.addCleanup(crowd.stop)
        flood = self.flood(first_source)
        most = 0
        while flood.poll() is None:
            most = max(most, self.game()["flows"])
            time.sleep(0.2)
        sent = int(flood.communicate()[0])
        newcomer = self.player(self.players, self.PUBLIC[version], self.port)
        lab.wait_until(lambda: newcomer.is_answered(0.5), "the newcomer is answered", timeout=5)
        crowd.stop()
        game = self.game()
        grown = self.resident() - resident
        self.assertGreater(sent, RATE * SECONDS / 2)
        self.assertGreater(game["flows_opened"], sent / 2, "the flood arrived")
        self.assertGreater(game["flows_evicted"], sent / 4)
        self.assertLessEqual(most, MAX_FLOWS)
        self.assertLess(crowd.lost_share(), 0.01)
        self.assertLess(grown, 16 << 10)
        self.assertGreaterEqual(game["flows_established"], 16, "no player was pushed out")

    def test_that_the_service_ignores(self):
        self.play_through(0, "known", "10.128.0.0")

    def test_that_the_service_answers(self):
        self.play_through(0, "all", "10.128.0.0")

    def test_from_as_many_ipv6_networks(self):
        self.play_through(1, "known", "2001:db8:4000::1")


if __name__ == "__main__":
    unittest.main()
