"""TCP forwards: connections from the internet to jails at home, by the redirects that people write for pf."""

import contextlib
import hashlib
import json
import os
import socket
import struct
import threading
import time
import unittest

import factorio
import lab

TOM, DICK, HARRY, NOBODY = "10.1.2.12", "10.1.2.13", "10.1.2.14", "10.1.2.99"
TOM6 = "fd00:1:2::c"


def forward(name, ports, to, **keys):
    """A rule that listens on public ports of both IP versions."""
    listen = [f"{every}:{port}" for every in ("0.0.0.0", "[::]") for port in ports]
    return ("[[forward]]", {"name": name, "protocol": "tcp", "listen": listen, "to": to} | keys)


class Service:
    """A TCP service that hands each connection to `talk` on a thread of its own."""

    def __init__(self, node, address, port, talk):
        self.talk, self.sources = talk, []
        self.listener = node.socket(lab.family_of(address), socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(1000)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, source = self.listener.accept()
            except OSError:
                return
            self.sources.append(source[0])
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(ConnectionResetError):
            self.talk(connection)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(lab.GENEROUS)
        self.listener.close()


def read_to_end(connection):
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def echo(connection):
    """Sends everything back and ends when the client does."""
    while piece := connection.recv(65536):
        connection.sendall(piece)


def say(text):
    return lambda connection: connection.sendall(text.encode())


class TcpTest(factorio.FactorioTest):
    """Tom has a database, Dick a web and FTP server, Harry a web server that is port 81 outside."""

    def setUp(self):
        super().setUp()
        self.home.add_address("lo", f"{TOM}/32", f"{DICK}/32", f"{HARRY}/32", f"{TOM6}/128")

    def start_both(self, *forwards):
        sections = [("[interface]", {
            "name": "wg0",
            "private_key": self.vps_keys.private,
            "listen_port": self.TUNNEL_PORT,
            "addresses": ["10.1.2.5/24", "fd00:1:2::5/64"],
        }), ("[[peer]]", {
            "name": "home",
            "public_key": self.home_keys.public,
            "allowed_ips": ["10.1.2.0/24", "fd00:1:2::/64"],
        })]
        self.gateway = self.keep(factorio.Gateway(self.vps, lab.toml(*sections, *forwards), lab.ADIT))
        self.home_end = self.keep(factorio.Gateway(self.home, lab.toml(
            ("[interface]", {
                "name": "wg0",
                "private_key": self.home_keys.private,
                "listen_port": 342,
                "addresses": ["10.1.2.2/24", "fd00:1:2::2/64"],
            }),
            ("[[peer]]", {
                "name": "vps",
                "public_key": self.vps_keys.public,
                "endpoint": "198.51.100.1:342",
                "allowed_ips": ["10.1.2.5/32", "fd00:1:2::5/128"],
                "persistent_keepalive": 1,
            }),
        )))
        self.gateway.wait_for_handshake()

    def serve(self, address, port, talk=echo):
        service = Service(self.home, address, port, talk)
        self.addCleanup(service.close)
        return service

    def connect(self, port, address=factorio.FactorioTest.PUBLIC[0]):
        connection = self.players.socket(lab.family_of(address), socket.SOCK_STREAM)
        self.addCleanup(connection.close)
        connection.settimeout(lab.GENEROUS)
        connection.connect((address, port))
        return connection

    def expect_reset(self, *port_and_address):
        """Before connect() returns, or soon after."""
        with self.assertRaises(ConnectionResetError):
            self.assertEqual(self.connect(*port_and_address).recv(1), "a reset")

    def wait_for_flows(self, name, flows):
        lab.wait_until(lambda: self.gateway.forward(name)["flows"] == flows, f"{flows} flows of {name}")


class Redirects(TcpTest):
    def test_each_port_leads_to_its_jail(self):
        self.start_both(
            forward("mariadb", [3306], f"{TOM}:3306"),
            *(forward(f"dick-{port}", [port], f"{DICK}:{port}") for port in (21, 80, 443)),
            forward("harry", [81], f"{HARRY}:80"),
        )
        services = {3306: self.serve(TOM, 3306, say("mariadb"))}
        for port in (21, 80, 443):
            services[port] = self.serve(DICK, port, say(f"dick {port}"))
        services[81] = self.serve(HARRY, 80, say("harry"))
        expected = {3306: b"mariadb", 21: b"dick 21", 80: b"dick 80", 443: b"dick 443", 81: b"harry"}
        for address in self.PUBLIC:
            for port, text in expected.items():
                with self.subTest(address=address, port=port):
                    self.assertEqual(read_to_end(self.connect(port, address)), text)
        for service in services.values():
            self.assertEqual(set(service.sources), {"10.1.2.5"})
        harry = self.gateway.forward("harry")
        self.assertEqual((harry["protocol"], harry["flows_opened"], harry["bytes_out"]), ("tcp", 2, 2 * len("harry")))
        self.assertNotIn("packets_in", harry)
        shown = self.vps.run(lab.ADIT, "show", "wg0", check=True).stdout
        self.assertIn("forward: harry (tcp)", shown)

    def test_a_service_may_be_of_the_other_ip_version(self):
        self.start_both(forward("six", [3306], f"[{TOM6}]:3306"))
        service = self.serve(TOM6, 3306, say("hello"))
        for address in self.PUBLIC:
            self.assertEqual(read_to_end(self.connect(3306, address)), b"hello")
        self.assertEqual(set(service.sources), {"fd00:1:2::5"})

    def test_the_proxy_header_names_the_player(self):
        self.start_both(
            forward("v1", [8001], f"{DICK}:80", proxy_protocol="v1"),
            forward("v2", [8002], f"{DICK}:80", proxy_protocol="v2"),
        )
        heard = []
        self.serve(DICK, 80, lambda connection: heard.append(read_to_end(connection)))
        one, two = self.connect(8001), self.connect(8002, self.PUBLIC[1])
        for connection in (one, two):
            connection.sendall(b"GET /")
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(read_to_end(connection), b"")
        line = f"PROXY TCP4 203.0.113.10 {self.PUBLIC[0]} {one.getsockname()[1]} 8001\r\nGET /"
        binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24" + socket.inet_pton(socket.AF_INET6, "2001:db8:1::10")
        binary += socket.inet_pton(socket.AF_INET6, self.PUBLIC[1]) + struct.pack("!HH", two.getsockname()[1], 8002)
        self.assertEqual(set(heard), {line.encode(), binary + b"GET /"})


class Streams(TcpTest):
    def setUp(self):
        super().setUp()
        self.start_both(forward("echo", [7], f"{TOM}:7"), forward("iperf", [5201], f"{TOM}:5201"))

    def test_iperf_in_both_directions(self):
        for direction in ((), ("--reverse",)):
            server = self.keep(lab.Process(
                self.home.command("iperf3", "--server", "--one-off", "--forceflush", "--bind", TOM),
                self.directory / "iperf3.log",
            ))
            server.wait_for_log("Server listening")
            result = self.players.run(
                "iperf3", "--client", self.PUBLIC[0], "--json", "--bytes", "16M", *direction, timeout=60
            )
            report = json.loads(result.stdout)
            self.assertNotIn("error", report)
            self.assertGreaterEqual(report["end"]["sum_sent"]["bytes"], 16 << 20)
            server.wait()
            # In a test of so many bytes iperf3 does not wait for the last of them to arrive.
            shown = self.gateway.forward("iperf")["bytes_out" if direction else "bytes_in"]
            self.assertGreaterEqual(shown, report["end"]["sum_received"]["bytes"])
            self.assertGreater(shown, 0)

    def test_ncat_hears_its_own_words_and_both_ends(self):
        self.serve(TOM, 7)
        said = os.urandom(100_000).hex()
        for address in self.PUBLIC:
            result = self.players.run("ncat", address, "7", text=said, check=True)
            self.assertEqual(result.stdout, said)
        self.wait_for_flows("echo", 0)

    def test_ten_megabytes_there_and_back(self):
        self.serve(TOM, 7)
        connection, data = self.connect(7), os.urandom(10 << 20)
        writer = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
        writer.start()
        self.assertEqual(hashlib.sha256(read_to_end(connection)).digest(), hashlib.sha256(data).digest())
        writer.join()

    def test_as_many_at_once_as_a_source_may_have(self):
        self.serve(TOM, 7)
        connections = [self.connect(7) for _ in range(64)]
        for number, connection in enumerate(connections):
            connection.sendall(str(1000 + number).encode())
        for number, connection in enumerate(connections):
            self.assertEqual(connection.recv(4), str(1000 + number).encode())
        self.assertEqual(self.gateway.forward("echo")["flows"], 64)
        self.expect_reset(7)
        self.assertEqual(self.gateway.forward("echo")["drops"], {"source_flows_full": 1})


class Refusals(TcpTest):
    def test_a_closed_port_resets_and_a_silent_service_does_so_in_time(self):
        self.start_both(
            forward("closed", [3306], f"{TOM}:3306"),
            forward("silent", [80], f"{NOBODY}:80", connect_timeout="1s"),
        )
        self.expect_reset(3306)
        self.assertEqual(self.gateway.forward("closed")["drops"], {"service_refused": 1})
        # Home drops what it cannot deliver.
        self.home.ip("route", "add", "blackhole", f"{NOBODY}/32")
        begin = time.monotonic()
        self.expect_reset(80)
        self.assertGreaterEqual(time.monotonic() - begin, 1)
        self.assertEqual(self.gateway.forward("silent")["drops"], {"service_timeout": 1})

    def test_a_service_that_comes_back_is_found_again(self):
        self.start_both(forward("mariadb", [3306], f"{TOM}:3306"))
        self.expect_reset(3306)
        self.serve(TOM, 3306, say("back"))
        self.assertEqual(read_to_end(self.connect(3306)), b"back")

    def test_who_is_not_in_the_table_is_reset(self):
        self.start_both(forward("mariadb", [3306], f"{TOM}:3306", **{"from": ["2001:db8:1::/64"]}))
        self.serve(TOM, 3306, say("hello"))
        self.expect_reset(3306)
        self.assertEqual(read_to_end(self.connect(3306, self.PUBLIC[1])), b"hello")
        self.assertEqual(self.gateway.forward("mariadb")["drops"], {"not_allowed": 1})

    def test_silence_ends_a_connection(self):
        self.start_both(forward("mariadb", [3306], f"{TOM}:3306", idle_timeout="1s"))
        self.serve(TOM, 3306)
        self.expect_reset(3306)
        self.wait_for_flows("mariadb", 0)

    def test_a_port_that_is_taken_is_named(self):
        self.start_both(forward("mariadb", [3306], f"{TOM}:3306"))
        second = self.vps.write("second.toml", lab.toml(
            ("[interface]", {"name": "wg1", "private_key": self.home_keys.private, "addresses": ["10.9.0.1/24"]}),
            ("[[peer]]", {"public_key": self.vps_keys.public, "allowed_ips": ["10.9.0.2/32"]}),
            ("[[forward]]", {"protocol": "tcp", "listen": ["203.0.113.1:3306"], "to": "10.9.0.2:3306"}),
        ))
        result = self.vps.run(lab.ADIT, "run", "-c", second)
        self.assertEqual(result.returncode, lab.EXIT_FAILED)
        self.assertIn("bind tcp 203.0.113.1:3306: Address already in use (another program has this port)", result.stderr)


if __name__ == "__main__":
    unittest.main()
