"""The setup that the tests are about, of real programs: players on the internet, a VPS, a game server at home."""

import collections
import contextlib
import json
import os
import pathlib
import selectors
import socket
import threading

import lab

# ---- tunnel ends


class Gateway(lab.Process):
    """`adit run` on a node."""

    def __init__(self, node, config, program=lab.ADIT, wrapper=(), user=None, options=(), environment=None):
        """`wrapper`: words before the program's; `user`: whose process it is, if not root's; `options`: of `run`."""
        self.node, self.program, self.interface = node, program, "wg0"
        self.config = node.write("adit.toml", config)
        if user is not None:
            for path in (node.directory, self.config):
                os.chown(path, user, user)
            wrapper = (*wrapper, "setpriv", "--reuid", user, "--regid", user, "--clear-groups")
        words = node.command(*wrapper, program, "run", "-c", self.config, "--log-level", "debug", *options)
        environment = node.environment() | (environment or {})
        super().__init__(words, node.directory / "adit.log", environment, expect_exit=0)
        self.wait_for_log(" ready: ")

    def control_socket(self):
        return pathlib.Path(self.node.environment()["ADIT_RUN_DIR"]) / f"{self.interface}.sock"

    def state_file(self):
        """What it leaves for the next one."""
        return self.control_socket().with_suffix(".state")

    def show(self):
        return json.loads(self.node.run(self.program, "show", self.interface, "--json", check=True).stdout)

    def peer(self):
        return self.show()["peers"][0]

    def forward(self, name):
        return next(forward for forward in self.show()["forwards"] if forward["name"] == name)

    def drops(self):
        """Counts by reason."""
        return self.show()["drops"]

    def wait_for_drop(self, reason, count=1, timeout=lab.GENEROUS):
        lab.wait_until(lambda: self.drops().get(reason, 0) >= count, f"{count} packets dropped as {reason}", timeout)

    def wait_for_handshake(self, timeout=lab.GENEROUS):
        lab.wait_until(lambda: self.peer()["latest_handshake"], "handshake", timeout)


class WireguardGo(lab.Process):
    """Debian's wireguard-go on a node, configured with `wg` and `ip` as its users do."""

    def __init__(self, node, config, addresses, mtu=1420, name="wg0"):
        self.node = node
        control = pathlib.Path(f"/run/wireguard/{name}.sock")
        control.unlink(missing_ok=True)  # one's who was killed; `wg` would remove it, too, and both at once fails
        super().__init__(
            node.command("wireguard-go", "-f", name),
            node.directory / "wireguard-go.log",
            {"LOG_LEVEL": "verbose", "WG_PROCESS_FOREGROUND": "1"},
        )

        def answers():
            return control.exists() and node.run("wg", "show", name).returncode == 0

        lab.wait_until(answers, "wireguard-go answers wg")
        node.run("wg", "setconf", name, node.write(f"{name}.conf", config), check=True)
        node.add_address(name, *addresses)
        node.ip("link", "set", name, "mtu", mtu, "up")


# ---- datagrams


class Player:
    """A client on the internet: a UDP socket that talks to one address and port and believes nobody else.

    Connected, the kernel refuses what does not come from there; otherwise the source is looked at here.
    """

    def __init__(self, node, address, port, connected=True, source=None):
        self.target, self.connected = (address, port), connected
        self.socket = node.socket(lab.family_of(address))
        self.socket.settimeout(lab.GENEROUS)
        if source:
            self.socket.bind((source, 0))
        if connected:
            self.socket.connect(self.target)

    def close(self):
        self.socket.close()

    def send(self, payload):
        if self.connected:
            self.socket.send(payload)
        else:
            self.socket.sendto(payload, self.target)

    def receive(self, timeout=lab.GENEROUS):
        self.socket.settimeout(timeout)
        payload, source = self.socket.recvfrom(65535)
        if source[:2] != self.target:
            raise AssertionError(f"asked {self.target}, answered from {source}")
        return payload

    def ask(self, payload, timeout=lab.GENEROUS):
        self.send(payload)
        return self.receive(timeout)

    def is_answered(self, timeout=0.3):
        """Whether a new question gets its own answer; late answers to earlier questions are passed over."""
        question = os.urandom(16)
        with contextlib.suppress(OSError):  # also "connection refused"
            self.send(question)
            while (answer := self.receive(timeout)) != question:
                pass
            return answer == question
        return False


class Echo:
    """A service that sends each datagram back, and remembers what it saw."""

    def __init__(self, node, *addresses):
        self.sources = set()
        self.received = 0
        self.selector = selectors.DefaultSelector()
        self.end, self.wake = socket.socketpair()
        self.selector.register(self.end, selectors.EVENT_READ)
        for address in addresses:
            listener = node.socket(lab.family_of(address[0]))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            listener.setblocking(False)
            listener.bind(address)
            self.selector.register(listener, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.end:
                    return
                with contextlib.suppress(OSError):
                    payload, source = key.fileobj.recvfrom(65535)
                    self.sources.add(source[:2])
                    self.received += 1
                    key.fileobj.sendto(payload, source)

    def close(self):
        if not self.thread.is_alive():
            return
        self.wake.close()
        self.thread.join(lab.GENEROUS)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


# ---- the setup


class FactorioTest(lab.LabTest):
    """Players on the internet, a VPS that faces it, and a game server at home behind a tunnel.

    players 203.0.113.10 ---- 203.0.113.1, .2  vps  198.51.100.1 ---- 198.51.100.2 home
            2001:db8:1::10    2001:db8:1::1, ::2    2001:db8:2::1     2001:db8:2::2
                                         10.1.2.5   ====tunnel====   10.1.2.2
                                         fd00:1:2::5                 fd00:1:2::2
    """

    PUBLIC = ("203.0.113.1", "2001:db8:1::1")
    SECOND_PUBLIC = ("203.0.113.2", "2001:db8:1::2")
    SERVICE = ("10.1.2.2", 34197)
    SERVICE6 = ("fd00:1:2::2", 34198)
    TUNNEL_PORT = 342

    def setUp(self):
        super().setUp()
        self.players, self.vps, self.home = (self.node(name) for name in ("players", "vps", "home"))
        lab.cable(self.players, "eth0", self.vps, "eth0")
        lab.cable(self.vps, "eth1", self.home, "eth0")
        self.players.add_address("eth0", "203.0.113.10/24", "2001:db8:1::10/64")
        self.vps.add_address("eth0", "203.0.113.1/24", "203.0.113.2/24", "2001:db8:1::1/64", "2001:db8:1::2/64")
        self.vps.add_address("eth1", "198.51.100.1/24", "2001:db8:2::1/64")
        self.home.add_address("eth0", "198.51.100.2/24", "2001:db8:2::2/64")
        self.vps_keys, self.home_keys = lab.Keys(), lab.Keys()

    def player(self, *arguments, **options):
        player = Player(*arguments, **options)
        self.addCleanup(player.close)
        return player

    def echo(self, *arguments):
        echo = Echo(*arguments)
        self.addCleanup(echo.close)
        return echo

    # The VPS's end.

    def gateway_config(self, interface={}, peer={}, forward={}):
        """The Factorio gateway; the dictionaries add keys and replace values."""
        sections = [("[interface]", {
            "name": "wg0",
            "private_key": self.vps_keys.private,
            "listen_port": self.TUNNEL_PORT,
            "addresses": ["10.1.2.5/24", "fd00:1:2::5/64"],
        } | interface), ("[[peer]]", {
            "name": "home",
            "public_key": self.home_keys.public,
            "allowed_ips": ["10.1.2.2/32", "fd00:1:2::2/128"],
        } | peer)]
        for name, (address, port) in (("factorio", self.SERVICE), ("factorio6", self.SERVICE6)):
            to = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
            sections.append(("[[forward]]", {
                "name": name,
                "protocol": "udp",
                "listen": [f"0.0.0.0:{port}", f"[::]:{port}"],
                "to": to,
            } | forward))
        return lab.toml(*sections)

    def start_gateway(self, program=lab.ADIT, wrapper=(), user=None, options=(), environment=None, **changes):
        config = self.gateway_config(**changes)
        self.gateway = self.keep(Gateway(self.vps, config, program, wrapper, user, options, environment))
        return self.gateway

    # Home's end.

    def home_config(self, vps_key=None, endpoint="198.51.100.1:342", keepalive=1, psk=None, port=342):
        lines = [
            "[Interface]", f"PrivateKey = {self.home_keys.private}", f"ListenPort = {port}",
            "[Peer]", f"PublicKey = {vps_key or self.vps_keys.public}", "AllowedIPs = 10.1.2.5/32, fd00:1:2::5/128",
            f"PersistentKeepalive = {keepalive}",
        ]
        if endpoint:
            lines.append(f"Endpoint = {endpoint}")
        if psk:
            lines.append(f"PresharedKey = {psk}")
        return "\n".join(lines) + "\n"

    def start_home(self, addresses=("10.1.2.2/24", "fd00:1:2::2/64"), **changes):
        return self.keep(WireguardGo(self.home, self.home_config(**changes), addresses))

    def start_service(self):
        return self.echo(self.home, self.SERVICE, self.SERVICE6)

    def start_everything(self):
        """The gateway, once home has called and the service answers."""
        gateway = self.start_gateway()
        self.home_end = self.start_home()
        self.service = self.start_service()
        gateway.wait_for_handshake()
        return gateway

    def expect_drops(self, throw, expected):
        """What `throw` sends must be counted as `expected`, and nothing else; and the gateway must live on."""
        before = collections.Counter(self.gateway.drops())
        throw()
        total = sum(expected.values())

        def news():
            return collections.Counter(self.gateway.drops()) - before

        lab.wait_until(lambda: sum(news().values()) >= total, f"drops: {expected}")
        self.assertEqual(dict(news()), dict(expected))
