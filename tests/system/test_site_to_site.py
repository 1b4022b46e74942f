"""Two sites joined by two routers that run adit, and a router of others between them: the network of
docs/home/site-to-site.toml, whose machines are namespaces here.  The gateways' configurations are what
`adit home apply` writes."""

import pathlib
import socket
import tomllib
import unittest

import lab

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "docs/home/site-to-site.toml"
ALL_PROTOCOLS = socket.htons(0x0003)
PATTERN = b"PLAIN" * 4


class Listener:
    """Everything that passes an interface."""

    def __init__(self, node, device):
        self.socket = node.socket(socket.AF_PACKET, socket.SOCK_RAW, ALL_PROTOCOLS)
        self.socket.bind((device, 0))
        self.socket.setblocking(False)

    def frames(self):
        frames = []
        while True:
            try:
                frames.append(self.socket.recv(65536))
            except BlockingIOError:
                return frames


class SiteToSite(lab.LabTest):
    def setUp(self):
        self.example = self.with_keys_of_its_own(EXAMPLE.read_text())
        self.home = tomllib.loads(self.example)
        self.nodes = {jail["name"]: self.node(jail["name"]) for jail in self.home["jail"]}
        for bridge in self.home["bridge"]:
            self.join(bridge["name"])
        for jail in self.home["jail"]:
            self.route(jail)
        self.apply()

    def with_keys_of_its_own(self, text):
        """The example has public keys only.  The first tunnel's peer is the second's end."""
        self.keys = [lab.Keys(), lab.Keys()]
        for tunnel, keys in zip(tomllib.loads(text)["tunnel"], reversed(self.keys)):
            text = text.replace(tunnel["peer"][0]["public_key"], keys.public)
        return text

    def join(self, bridge):
        """A bridge of the example has two members, and so a cable does."""
        ends = [
            (self.nodes[jail["name"]], each["name"], each["addresses"])
            for jail in self.home["jail"]
            for each in jail["interface"]
            if each["bridge"] == bridge
        ]
        (one, its_device, _), (other, others_device, _) = ends
        lab.cable(one, its_device, other, others_device)
        for node, device, address in ends:
            node.add_address(device, address)

    def route(self, jail):
        node = self.nodes[jail["name"]]
        if router := jail.get("default_router"):
            node.ip("route", "add", "default", "via", router)
        if jail.get("gateway"):
            node.run("sysctl", "-w", "net.ipv4.ip_forward=1", check=True)

    def apply(self):
        """What is for the jails goes below their paths; their programs here see the whole tree."""
        root = self.directory / "root"
        root.mkdir()
        file = self.directory / "home.toml"
        file.write_text(self.example)
        lab.run(lab.ADIT, "home", "apply", "-c", str(file), "--root", str(root), check=True)
        self.configurations = {}
        for jail, keys in zip(("vpnr1", "vpnr2"), self.keys):
            folder = root / f"vm/{jail}/usr/local/etc/adit"
            (folder / "wg0.key").write_text(keys.private + "\n")
            (folder / "wg0.key").chmod(0o600)
            text = (folder / f"{jail}.toml").read_text()
            self.configurations[jail] = text.replace("/usr/local/etc/adit", str(folder))

    def start(self, jail):
        node = self.nodes[jail]
        config = node.write("adit.toml", self.configurations[jail])
        gateway = self.keep(
            lab.Process(node.command(lab.ADIT, "run", "-c", config), node.directory / "adit.log", node.environment())
        )
        gateway.wait_for_log(" ready: ")

    def ping(self, source, address):
        pattern = PATTERN[:5].hex()
        result = self.nodes[source].run("ping", "-c", "1", "-w", lab.GENEROUS - 5, "-p", pattern, address)
        self.assertEqual(result.returncode, 0, result.stdout)

    def expect_seen(self, listeners, seen):
        found = [any(PATTERN in frame for frame in each.frames()) for each in listeners]
        self.assertEqual(found, [seen] * len(listeners))

    def test_what_the_sites_say_is_read_inside_and_not_outside(self):
        outside = [Listener(self.nodes["r1"], device) for device in ("vi1_r1", "vi2_r1")]
        inside = [Listener(self.nodes[f"vpnr{site}"], f"vri{site}_vpnr{site}") for site in (1, 2)]

        # The routers' outer addresses, without the tunnel: everybody on the way reads it.
        self.ping("vpnr1", "172.31.2.11")
        self.expect_seen(outside, True)

        self.start("vpnr1")
        self.start("vpnr2")
        for source, address in (("vpnh1", "192.168.2.11"), ("vpnh2", "192.168.1.11")):
            with self.subTest(source=source):
                self.ping(source, address)
                self.expect_seen(inside, True)
                self.expect_seen(outside, False)

        # And from router to router by the tunnel's own addresses.
        self.ping("vpnr1", "192.168.222.2")
        self.expect_seen(outside, False)


if __name__ == "__main__":
    unittest.main()
