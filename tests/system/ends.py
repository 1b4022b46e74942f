"""The two ends of a tunnel, adit at both: the VPS, whose gateway forwards, and home."""

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
        # With -w it sends on until four have come back, and may hear of one more.
        self.assertRegex(result.stdout, r" ([4-9]|\d\d+) received")
