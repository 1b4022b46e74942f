"""Metrics, read by Prometheus itself."""

import http.client
import json
import re
import socket
import unittest
import urllib.parse

import factorio
import lab

ADDRESS = ("127.0.0.1", 9586)
LISTEN = lab.toml(("[metrics]", {"listen": "%s:%d" % ADDRESS}))
DASHBOARD = lab.ROOT / "docs/grafana-dashboard.json"
PROMETHEUS = ("127.0.0.1", 9090)
PROMETHEUS_CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: adit, static_configs: [{targets: ["127.0.0.1:9586"]}]}]
"""


class Metrics(factorio.FactorioTest):
    def gateway_config(self, metrics=LISTEN, **changes):
        web = {"name": "web", "protocol": "tcp", "listen": "0.0.0.0:80", "to": "10.1.2.2:80"}
        return super().gateway_config(**changes) + lab.toml(("[[forward]]", web)) + metrics

    def get(self, path, address=ADDRESS, **headers):
        """Status, headers and text."""
        connection = http.client.HTTPConnection(*address, timeout=lab.GENEROUS)
        connection.sock = self.vps.socket(lab.family_of(address[0]), socket.SOCK_STREAM)
        try:
            connection.sock.settimeout(lab.GENEROUS)
            connection.sock.connect(address)
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def is_served(self, address=ADDRESS):
        try:
            return self.get("/metrics", address)[0] == 200
        except ConnectionRefusedError:
            return False

    def play(self, count):
        player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        for i in range(count):
            self.assertEqual(player.ask(b"%032d" % i), b"%032d" % i)

    def query(self, expression):
        """The samples that Prometheus has: (labels, value) pairs."""
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        status, _, text = self.get(path, PROMETHEUS)
        self.assertEqual(status, 200, f"{expression}: {text}")
        return [(each["metric"], float(each["value"][1])) for each in json.loads(text)["data"]["result"]]

    def value(self, expression):
        samples = self.query(expression)
        return samples[0][1] if samples else None

    def start_prometheus(self):
        config = self.vps.write("prometheus.yml", PROMETHEUS_CONFIG)
        self.keep(lab.Process(self.vps.command(
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.vps.directory}/tsdb",
            "--web.listen-address=%s:%d" % PROMETHEUS, "--log.level=warn",
        ), self.vps.directory / "prometheus.log"))

        def is_ready():
            try:
                return self.get("/-/ready", PROMETHEUS)[0] == 200
            except ConnectionRefusedError:
                return False

        lab.wait_until(is_ready, "prometheus is ready")

    def test_prometheus_reads_what_was_forwarded(self):
        gateway = self.start_everything()
        self.start_prometheus()
        self.play(250)
        sent = 'adit_forward_packets_total{forward="factorio",direction="in"}'
        lab.wait_until(lambda: self.value(sent) == 250, "prometheus counts 250 datagrams")
        for expression, value in (
            ('up{job="adit"}', 1),
            ('adit_forward_packets_total{forward="factorio",direction="out"}', 250),
            ('adit_forward_bytes_total{forward="factorio",direction="in"}', 250 * 32),
            ('adit_forward_packets_total{forward="factorio6",direction="in"}', 0),
            ("sum(adit_forward_flows_established)", 1),
            ('adit_forward_flows{forward="web"}', 0),
            ("sum(adit_drops_total)", 0),
            (f'adit_peer_latest_handshake_timestamp_seconds{{peer="home",public_key="{self.home_keys.public}"}}',
             gateway.peer()["latest_handshake"]),
            ("time() - process_start_time_seconds < bool 3600", 1),
        ):
            with self.subTest(expression):
                self.assertEqual(self.value(expression), value)
        self.check_dashboard()
        self.check_that_promtool_agrees()

    def check_dashboard(self):
        """Prometheus understands each of its questions, and knows an answer unless it is about drops."""
        panels = json.loads(DASHBOARD.read_text())["panels"]
        for expression in {target["expr"] for panel in panels for target in panel["targets"]}:
            with self.subTest(expression):
                self.query(expression.replace("$__rate_interval", "1m"))
                asked = re.sub(r'"\$(instance|forward)"', '".*"', expression.replace("$__rate_interval", "1m"))
                if "drops" not in expression:
                    lab.wait_until(lambda: self.query(asked), "an answer: rates need two samples")

    def check_that_promtool_agrees(self):
        _, headers, text = self.get("/metrics")
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        checked = lab.run("promtool", "check", "metrics", text=text)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

    def test_reloads_add_move_and_remove_them(self):
        gateway = self.start_gateway()
        second = ("::1", 9587)
        blocker = self.vps.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.addCleanup(blocker.close)
        blocker.bind(("127.0.0.1", 9999))
        blocker.listen()

        def reload(*listen):
            metrics = lab.toml(("[metrics]", {"listen": list(listen)})) if listen else ""
            gateway.config.write_text(self.gateway_config(metrics))
            return self.vps.run(lab.ADIT, "reload", "wg0")

        kept = self.vps.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.addCleanup(kept.close)
        kept.settimeout(lab.GENEROUS)
        kept.connect(ADDRESS)
        self.assertEqual(reload("127.0.0.1:9586", "[::1]:9587").returncode, lab.EXIT_DONE)
        self.assertTrue(self.is_served(second))
        kept.sendall(b"GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(kept.recv(100).startswith(b"HTTP/1.1 200 "), "a connection of before goes on")

        refused = reload("[::1]:9588", "127.0.0.1:9999")
        self.assertEqual(refused.returncode, lab.EXIT_FAILED)
        self.assertIn("bind tcp 127.0.0.1:9999: Address already in use", refused.stderr)
        self.assertEqual([self.is_served(each) for each in (ADDRESS, second, ("::1", 9588))], [True, True, False])

        self.assertEqual(reload("[::1]:9587").returncode, lab.EXIT_DONE)
        self.assertEqual([self.is_served(each) for each in (ADDRESS, second)], [False, True])
        self.assertEqual(reload().returncode, lab.EXIT_DONE)
        self.assertEqual([self.is_served(each) for each in (ADDRESS, second)], [False, False])
        self.assertEqual(reload("127.0.0.1:9586").returncode, lab.EXIT_DONE)
        self.assertEqual(json.loads(self.get("/status.json")[2])["interface"], gateway.show()["interface"])

    def test_an_address_in_use_is_a_failure_to_start(self):
        blocker = self.vps.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.addCleanup(blocker.close)
        blocker.bind(ADDRESS)
        blocker.listen()
        config = self.vps.write("adit.toml", self.gateway_config())
        result = self.vps.run(lab.ADIT, "run", "-c", config)
        self.assertEqual(result.returncode, lab.EXIT_FAILED)
        self.assertIn("bind tcp 127.0.0.1:9586: Address already in use (another program has this port)", result.stderr)


if __name__ == "__main__":
    unittest.main()
