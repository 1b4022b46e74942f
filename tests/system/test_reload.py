"""A changed configuration while traffic flows: what it does not change notices nothing."""

import contextlib
import os
import signal
import threading
import time
import unittest

import factorio
import lab


class Traffic:
    """A player who sends numbered datagrams all the time, and which of them came back."""

    def __init__(self, player, per_second):
        self.player, self.pause = player, 1 / per_second
        self.sent, self.returned = 0, set()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]
        for thread in self.threads:
            thread.start()

    def _send(self):
        while not self.stopping.is_set():
            with contextlib.suppress(ConnectionRefusedError):  # about an earlier one
                self.player.send(b"%d" % self.sent)
            self.sent += 1
            time.sleep(self.pause)

    def _receive(self):
        while not self.stopping.is_set() or len(self.returned) < self.sent:
            with contextlib.suppress(ConnectionRefusedError):
                try:
                    self.returned.add(int(self.player.receive(2)))
                except TimeoutError:
                    return

    def flows(self, more=200):
        """Waits until that many more have come back."""
        aim = len(self.returned) + more
        lab.wait_until(lambda: len(self.returned) >= aim, "datagrams come back")

    def lost(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        return self.sent - len(self.returned)


class Reload(factorio.FactorioTest):
    def rewrite(self, text):
        self.gateway.config.write_text(text)

    def reload(self, text=None):
        """What `adit reload` ends with, after the file has become `text`."""
        if text is not None:
            self.rewrite(text)
        return self.vps.run(lab.ADIT, "reload", "wg0")

    def reloaded(self, text):
        result = self.reload(text)
        self.assertEqual((result.returncode, result.stderr), (lab.EXIT_DONE, ""))
        self.assertEqual(result.stdout, "wg0 reloaded\n")

    def handshakes(self):
        return self.gateway.log().count("handshake with")

    def test_what_is_not_changed_loses_nothing(self):
        gateway = self.start_everything()
        player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        self.assertTrue(player.is_answered())
        sources, handshakes = set(self.service.sources), self.handshakes()
        traffic = Traffic(player, 2000)
        other = lab.Keys()
        more = lab.toml(
            ("[[peer]]", {"name": "other", "public_key": other.public, "allowed_ips": ["10.1.3.0/24"]}),
            ("[[forward]]", {"name": "more", "listen": "0.0.0.0:5000", "to": "10.1.2.2:5000"}),
        )
        plain = self.gateway_config()
        changed = self.gateway_config(
            interface={"addresses": ["10.1.2.5/24", "10.9.9.9/24", "fd00:1:2::5/64"], "mtu": 1400},
            peer={"persistent_keepalive": 7, "allowed_ips": ["10.1.2.2/32", "10.4.0.0/16", "fd00:1:2::2/128"]},
            forward={"max_flows": 100, "from": ["0.0.0.0/0", "::/0"]},
        )
        for _ in range(4):
            for text in (plain + more, changed, changed + more, plain):
                traffic.flows()
                self.reloaded(text)
        traffic.flows()
        self.assertEqual(traffic.lost(), 0)
        self.assertEqual(self.service.sources, sources, "the flow kept its port")
        self.assertEqual(self.handshakes(), handshakes, "the session went on")
        self.assertGreaterEqual(gateway.forward("factorio")["packets_in"], traffic.sent)
        self.assertEqual(gateway.forward("factorio")["flows_opened"], 1)

    def test_forwards_come_and_go_and_lead_elsewhere(self):
        self.start_everything()
        self.echo(self.home, (self.SERVICE[0], 5000))
        player = self.player(self.players, self.PUBLIC[0], 5000)
        self.assertFalse(player.is_answered())
        forward = {"name": "more", "listen": "0.0.0.0:5000", "to": "10.1.2.2:5000"}
        self.reloaded(self.gateway_config() + lab.toml(("[[forward]]", forward)))
        self.assertTrue(player.is_answered())
        self.assertEqual(self.gateway.forward("more")["flows"], 1)

        forward["to"] = "10.1.2.2:5001"  # nobody is there
        self.reloaded(self.gateway_config() + lab.toml(("[[forward]]", forward)))
        self.assertFalse(player.is_answered())
        forward |= {"to": "10.1.2.2:5000", "from": ["192.0.2.0/24"]}
        self.reloaded(self.gateway_config() + lab.toml(("[[forward]]", forward)))
        self.assertFalse(player.is_answered())
        self.gateway.wait_for_drop("not_allowed")
        self.reloaded(self.gateway_config())
        self.assertFalse(player.is_answered())
        self.assertNotIn("5000", self.vps.run("ss", "-Hlun", check=True).stdout)

    def test_addresses_and_routes_follow(self):
        self.start_everything()

        def lines(*words):
            return {line.strip() for line in self.vps.ip(*words, "dev", "wg0").splitlines()}

        self.reloaded(self.gateway_config(
            interface={"addresses": ["10.1.2.6/24", "fd00:1:2::5/64"], "mtu": 1380},
            peer={"allowed_ips": ["10.1.2.2/32", "10.4.0.0/16"]},
        ).split("[[forward]]")[0])
        shown = "\n".join(lines("addr", "show"))
        self.assertIn("10.1.2.6/24", shown)
        self.assertNotIn("10.1.2.5/", shown)
        self.assertIn("mtu 1380", shown)
        self.assertTrue(any(line.startswith("10.4.0.0/16") for line in lines("route", "show")))
        self.assertTrue(any(line.startswith("10.1.2.2 ") for line in lines("route", "show")))
        self.assertFalse(any(line.startswith("fd00:1:2::2 ") for line in lines("-6", "route", "show")))

    def test_the_port_and_the_key_may_change(self):
        gateway = self.start_everything()
        keys = lab.Keys()
        self.reloaded(self.gateway_config(interface={"listen_port": 343, "private_key": keys.private}))
        self.assertEqual(gateway.show()["interface"]["listen_port"], 343)
        self.assertEqual(gateway.show()["interface"]["public_key"], keys.public)
        self.home.run("wg", "set", "wg0", "peer", self.vps_keys.public, "remove", check=True)
        self.home.run(
            "wg", "set", "wg0", "peer", keys.public, "endpoint", "198.51.100.1:343", "persistent-keepalive", "1",
            "allowed-ips", "10.1.2.5/32,fd00:1:2::5/128", check=True,
        )
        player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        lab.wait_until(player.is_answered, "the tunnel with the new key")

    def test_a_hangup_signal_reloads(self):
        gateway = self.start_everything()
        self.rewrite(self.gateway_config(forward={"max_flows": 17}))
        gateway.popen.send_signal(signal.SIGHUP)
        lab.wait_until(lambda: gateway.forward("factorio")["max_flows"] == 17, "reload")

    def test_what_is_wrong_changes_nothing_and_says_where(self):
        gateway = self.start_everything()
        player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        traffic = Traffic(player, 500)
        good = self.gateway_config()
        before = self.state()
        blocker = self.vps.socket(lab.family_of("0.0.0.0"))
        self.addCleanup(blocker.close)
        blocker.bind(("0.0.0.0", 5000))
        taken = lab.toml(("[[forward]]", {"name": "more", "listen": "0.0.0.0:5000", "to": "10.1.2.2:5000"}))
        self.vps.ip("route", "add", "10.77.0.0/16", "dev", "eth1")
        routes = ["10.1.2.2/32", "10.76.0.0/16", "10.77.0.0/16", "fd00:1:2::2/128"]
        path = gateway.config
        for text, status, complaint in (
            (good + "[[forwrad]]\n", lab.EXIT_CONFIG, f"{path}:"),
            ("", lab.EXIT_CONFIG, f"{path}:"),
            (good + taken, lab.EXIT_FAILED, "bind udp 0.0.0.0:5000: Address already in use"),
            (self.gateway_config(interface={"name": "wg7"}), lab.EXIT_FAILED, "from wg0 to wg7"),
            (self.gateway_config(interface={"tun": False}), lab.EXIT_FAILED, "tun cannot change"),
            (self.gateway_config(interface={"mtu": 9000}), lab.EXIT_FAILED, "the MTU cannot change"),
            (self.gateway_config(interface={"mtu": 1300, "listen_port": 999}, peer={"allowed_ips": routes}),
             lab.EXIT_FAILED, "add route 10.77.0.0/16 to wg0: File exists"),
        ):
            with self.subTest(complaint):
                result = self.reload(text)
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertIn(complaint, result.stderr)
                self.assertIn("adit: wg0 runs on as before\n", result.stderr)
                self.assertEqual(self.state(), before)
        os.remove(path)
        self.assertEqual(self.reload().returncode, lab.EXIT_FAILED)
        traffic.flows()
        self.assertEqual(traffic.lost(), 0)

    def state(self):
        """What the kernel and the gateway say, without what counts."""
        shown = self.gateway.show()
        forwards = [{key: forward[key] for key in ("name", "listen", "to", "max_flows")} for forward in shown["forwards"]]
        return (
            shown["interface"], forwards, shown["peers"][0]["allowed_ips"],
            [self.vps.ip(*words, "dev", "wg0") for words in (("addr", "show"), ("route", "show"), ("-6", "route", "show"))],
        )

    def test_who_has_no_file_or_does_not_run_says_so(self):
        result = self.vps.run(lab.ADIT, "reload")
        self.assertEqual(result.returncode, lab.EXIT_FAILED)
        self.assertIn("no gateway is running", result.stderr)
        self.keep(lab.Process(
            self.vps.command(lab.ADIT, "-f", "wg1"), self.vps.directory / "log", self.vps.environment()
        ))
        control = self.vps.directory / "run" / "wg1.sock"
        lab.wait_until(control.exists, "wg1 has a control socket")
        result = self.vps.run(lab.ADIT, "reload", "wg1")
        self.assertEqual(result.returncode, lab.EXIT_FAILED)
        self.assertIn("wg1 was not started from a configuration file", result.stderr)


if __name__ == "__main__":
    unittest.main()
