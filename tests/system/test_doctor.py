"""`adit doctor` names each fault for what it is, with nothing wrong said beside it, and a healthy setup is well."""

import base64
import contextlib
import json
import os
import pathlib
import re
import socket
import unittest

import factorio
import lab
from ends import Ends

A_DAY = 86400


def preloaded(library):
    """Words before a program's that put a library into it, behind its sanitizer's, which wants to be the first."""
    linked = re.findall(r"=> (\S*/lib(?:asan|tsan)\S*)", lab.run("ldd", lab.ADIT, check=True).stdout)
    return ["env", "LD_PRELOAD=" + " ".join([*linked, library])]


def in_the_past(seconds):
    """Words before a program's that put its clock back."""
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return [*preloaded(str(library)), f"FAKETIME=-{seconds}s", "NO_FAKE_STAT=1"]


def in_hex(key):
    return base64.b64decode(key).hex()


class DoctorTest(Ends):
    def doctor(self, node, *options, wrapper=()):
        """Its exit status and its findings by code."""
        config = node.directory / "adit.toml"
        words = [*wrapper, lab.ADIT, "doctor", "-c", config, "--json", "--seconds", "0.2", *options]
        result = node.run(*words, timeout=60)
        self.assertIn(result.returncode, (lab.EXIT_DONE, lab.EXIT_FAILED, lab.EXIT_CONFIG), result.stderr)
        self.report = json.loads(result.stdout)
        self.assertEqual(result.stderr, "")
        return result.returncode, self.report["findings"]

    def expect_well(self, node, **options):
        status, findings = self.doctor(node, **options)
        self.assertEqual((status, findings), (lab.EXIT_DONE, []))

    def expect_fault(self, node, code, *texts, status=lab.EXIT_FAILED, **options):
        """This fault and no other; each of the texts is said of it."""
        found, findings = self.doctor(node, **options)
        self.assertEqual({each["code"] for each in findings}, {code}, self.report)
        self.assertEqual(found, status)
        for each in findings:
            self.assertTrue(each["saw"] and each["do"], each)
        for text in texts:
            self.assertIn(text, json.dumps(findings))

    @contextlib.contextmanager
    def filtered(self, node, rule):
        chain = "add table inet lab; add chain inet lab input { type filter hook input priority 0; };"
        node.run("nft", "-f", "-", text=f"{chain} add rule inet lab input {rule} drop", check=True)
        yield
        node.run("nft", "delete", "table", "inet", "lab", check=True)

    def call(self, **peer):
        """adit at home, which calls."""
        return self.start_adit_at_home(**{"endpoint": "198.51.100.1:342", "persistent_keepalive": 1} | peer)

    def start_pair(self, peer={}, **gateway):
        """Both ends, with a handshake between them."""
        gateway, home = self.start_gateway(**gateway), self.call(**peer)
        gateway.wait_for_handshake()
        return gateway, home

    def finish(self, *processes):
        for process in processes:
            process.finish()


class Handshakes(DoctorTest):
    def test_that_do_not_come_to_be(self):
        with self.subTest("closed port, and open again"), self.filtered(self.vps, "udp dport 342"):
            gateway, home = self.start_gateway(), self.call()
            self.expect_fault(self.vps, "port_closed", "udp port 342", "provider")
            self.expect_fault(self.home, "port_closed", "198.51.100.1:342")
        self.finish(home)
        home = self.call()
        gateway.wait_for_handshake()
        service = self.start_service()
        self.expect_well(self.vps)
        for text in ("udp port 342", "handshake", "1420 bytes pass", "no players"):
            self.assertIn(text, json.dumps(self.report["well"]))
        self.expect_well(self.home)
        self.assertEqual(self.report["unseen"], [])

        with self.subTest("home's clock goes back"):
            self.finish(home)
            home = factorio.Gateway(self.home, home.config.read_text(), wrapper=in_the_past(A_DAY))
            gateway.wait_for_drop("replayed_initiation")
            self.expect_fault(self.vps, "clock_off", "behind")
            self.expect_fault(self.home, "clock_off", "adit.toml", wrapper=in_the_past(A_DAY))
            self.finish(home)
        with self.subTest("home's key for the VPS is wrong"):
            right, self.vps_keys.public = self.vps_keys.public, lab.Keys().public
            home = self.call()
            gateway.wait_for_drop("bad_mac")
            self.expect_fault(self.vps, "wrong_key", "bad_mac", right, "198.51.100.2:342")
            self.vps_keys.public = right
            self.finish(home)
        with self.subTest("home has gone, and the gateway calls where it was"):
            client = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
            client.send(b"hello")
            lab.wait_until(lambda: gateway.forward("factorio")["flows"], "a flow, which the gateway leaves behind")
            self.finish(gateway)
            gateway = self.start_gateway()
            lab.wait_until(lambda: gateway.peer()["endpoint"], "where it was")
            self.expect_fault(self.vps, "endpoint_gone", "198.51.100.2:342", "PersistentKeepalive")
        service.close()

    def test_of_keys_in_the_wrong_places(self):
        self.vps.write("adit.toml", self.gateway_config(peer={"public_key": self.vps_keys.public}))
        self.expect_fault(self.vps, "swapped_keys", "adit.toml:", status=lab.EXIT_CONFIG)
        self.vps.write("adit.toml", self.gateway_config(peer={"public_key": self.vps_keys.private}))
        self.expect_fault(self.vps, "swapped_keys", "private", status=lab.EXIT_CONFIG)
        self.vps.write("adit.toml", self.gateway_config(peer={"allowed_ips": ["10.1.2.9/32"]}))
        self.expect_fault(self.vps, "config_wrong", "10.1.2.2", status=lab.EXIT_CONFIG)
        for wrong, code in ((lab.Keys().public, "wrong_key"), (self.home_keys.private, "swapped_keys")):
            with self.subTest(code):
                gateway = self.start_gateway(peer={"public_key": wrong})
                home = self.call()
                gateway.wait_for_drop("unknown_peer")
                self.expect_fault(self.vps, code, self.home_keys.public)
                self.finish(gateway, home)
        with self.subTest("preshared keys"):
            psk = lab.run("wg", "genpsk", check=True).stdout.strip()
            gateway = self.start_gateway(peer={"preshared_key": psk})
            for _ in range(2):  # what calls anew has not had its answer; started anew, it does so at once
                self.finish(home)
                home = self.call()
                lab.wait_until(lambda: home.drops().get("forged_handshake"), "an answer that does not decrypt")
            self.assertIn("unconfirmed", gateway.drops())
            self.expect_fault(self.vps, "wrong_psk")
            self.expect_fault(self.home, "wrong_psk")
            self.assertNotIn(psk, json.dumps(self.report))

    def test_with_endpoints_that_are_gone(self):
        home = self.call(endpoint="nowhere.invalid:342")
        self.expect_fault(self.home, "endpoint_gone", "nowhere.invalid")
        self.finish(home)
        self.home.ip("route", "add", "unreachable", "198.51.100.1/32")
        self.call()
        self.expect_fault(self.home, "endpoint_gone", "198.51.100.1:342")


class Tunnels(DoctorTest):
    def test_that_stand_and_carry_nothing(self):
        with self.subTest("home's allowed_ips lack the gateway"):
            gateway, home = self.start_pair(peer={"allowed_ips": ["10.1.2.7/32"]})
            self.expect_fault(self.vps, "wrong_allowed_ips", "AllowedIPs = 10.1.2.5/32")
            self.expect_fault(self.home, "wrong_allowed_ips", "wrong_source")
            self.finish(home)
        with self.subTest("home sends from another address"):
            config = home.config.read_text().replace("10.1.2.7/32", "10.1.2.5/32")
            home = factorio.Gateway(self.home, config.replace("10.1.2.2/24", "10.1.2.9/24").replace("::2/64", "::9/64"))
            with self.home.socket(socket.AF_INET) as asking:
                asking.sendto(b"from here", ("10.1.2.5", 9))
            gateway.wait_for_drop("wrong_source")
            self.expect_fault(self.vps, "wrong_allowed_ips", "10.1.2.9/32")
            self.finish(home)
        home = self.call()
        lab.wait_until(lambda: home.peer()["latest_handshake"], "handshake")
        with self.subTest("the service is dead"):
            self.expect_fault(self.vps, "service_dead", "udp 10.1.2.2:34197", "fd00:1:2::2")
        with self.subTest("the service is silent"):
            deaf = [self.home.socket(lab.family_of(service[0])) for service in (self.SERVICE, self.SERVICE6)]
            for each, service in zip(deaf, (self.SERVICE, self.SERVICE6)):
                self.addCleanup(each.close)
                each.bind(service)
            with self.asking(self.SERVICE[1]):
                self.expect_fault(self.vps, "service_dead", "players ask")
            for each in deaf:
                each.close()
        with self.subTest("large packets vanish"), self.filtered(self.home, "udp length gt 1340"):
            service = self.start_service()
            self.expect_fault(self.vps, "mtu_black_hole", "mtu = 1296")
            service.close()
        with self.subTest("the tcp service is dead"):
            self.finish(gateway, home)
            self.start_pair(forward={"protocol": "tcp"})
            self.expect_fault(self.vps, "service_dead", "tcp 10.1.2.2:34197")

    def asking(self, port, count=1):
        """Players who ask and ask."""
        players = [self.player(self.players, self.PUBLIC[0], port) for _ in range(count)]

        def ask():
            for player in players:
                with contextlib.suppress(OSError):
                    player.send(b"?")

        return lab.repeating(ask)

    def test_without_room_for_players(self):
        gateway, _ = self.start_pair(forward={"max_flows": 2})
        self.start_service()
        with self.asking(self.SERVICE[1], count=2):
            lab.wait_until(lambda: gateway.forward("factorio")["flows"] == 2, "two flows")
            self.expect_fault(self.vps, "flow_table_full", "max_flows = 4")
        config = self.vps.write("adit.toml", self.gateway_config(forward={"max_flows_per_source": 2}))
        self.vps.run(lab.ADIT, "reload", "wg0", check=True)
        with self.asking(self.SERVICE[1], count=3):
            gateway.wait_for_drop("source_flows_full")
            self.expect_fault(self.vps, "source_flows_full", "max_flows_per_source", str(config))

    def test_without_a_tun_are_looked_at_as_far_as_can_be(self):
        self.start_pair(interface={"tun": False})
        self.start_service()
        self.expect_well(self.vps)
        self.assertIn("without a tun", json.dumps(self.report["unseen"]))

    def test_of_a_bare_interface_are_looked_at_without_a_file(self):
        self.start_gateway()
        home = self.keep(lab.Process(self.home.command(lab.ADIT, "-f", "wg0"), self.home.directory / "adit.log",
                                     self.home.environment()))
        control = self.home.directory / "run/wg0.sock"
        lab.wait_until(control.exists, "the interface and its control socket")
        wanted = ("set=1\nprivate_key=%s\nlisten_port=342\npublic_key=%s\nendpoint=198.51.100.1:342\n"
                  "allowed_ip=10.1.2.5/32\n\n" % tuple(map(in_hex, (self.home_keys.private, self.vps_keys.public))))
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(control))
            asking.send(wanted.encode())
            self.assertIn(b"errno=0", asking.recv(100))
        self.home.add_address("wg0", "10.1.2.2/24")
        self.home.ip("link", "set", "wg0", "up")
        lab.wait_until(lambda: ":342 " in self.home.run("ss", "-Hlnu").stdout, "home has its port")
        result = self.home.run(lab.ADIT, "doctor", "--seconds", "0.2")
        self.assertEqual((result.returncode, result.stderr), (lab.EXIT_DONE, ""), result.stdout)
        self.assertRegex(result.stdout, r"(?m)^wg0: all is well$")
        self.assertRegex(result.stdout, r"(?m)^  ok   adit runs: wg0, udp port 342\n       peer \S+: handshake ")
        self.assertIn("10.1.2.5 answers in", result.stdout)
        self.gateway.finish()
        result = self.home.run(lab.ADIT, "doctor", "wg0", "--seconds", "0.2", timeout=30)
        self.assertEqual(result.returncode, lab.EXIT_FAILED, result.stdout)
        self.assertRegex(result.stdout, r"(?m)^port_closed: ")
        self.assertIn("its machine says that nothing listens at that port", result.stdout)
        home.stop()


class Starts(DoctorTest):
    def test_that_fail(self):
        self.vps.write("adit.toml", self.gateway_config())
        with self.subTest("adit was not started"):
            self.expect_fault(self.vps, "not_running", "adit run -c")
        for port, of in ((342, "listen_port"), (34197, "forward factorio")):
            with self.subTest(of), self.vps.socket(socket.AF_INET) as other:
                other.bind(("0.0.0.0", port))
                self.expect_fault(self.vps, "port_in_use", of, f"pid {os.getpid()}")
        with self.subTest("an interface of this name is there"):
            self.vps.ip("link", "add", "wg0", "type", "veth", "peer", "name", "other")
            self.expect_fault(self.vps, "interface_exists", "wg-quick down wg0")
            self.vps.ip("link", "del", "wg0")
        with self.subTest("an address is not there"):
            self.vps.write("adit.toml", self.gateway_config(forward={"listen": ["192.0.2.9:1000"]}).replace(
                'name = "factorio6"\nprotocol = "udp"\nlisten = ["192.0.2.9:1000"]',
                'name = "factorio6"\nprotocol = "udp"\nlisten = ["192.0.2.9:1001"]'))
            self.expect_fault(self.vps, "address_missing", "192.0.2.9")
        self.vps.write("adit.toml", self.gateway_config())
        with self.subTest("no tun device"):
            hidden = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /dev/net && exec "$@"', "sh"]
            self.expect_fault(self.vps, "no_tun", "TUN/TAP", wrapper=hidden)

    def test_for_want_of_rights(self):
        without = {"wrapper": ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]}
        self.vps.write("adit.toml", self.gateway_config())
        self.expect_fault(self.vps, "no_permission", "CAP_NET_ADMIN", **without)
        with self.subTest("low ports"):
            self.vps.write("adit.toml", self.gateway_config(interface={"tun": False, "listen_port": 53}))
            self.expect_fault(self.vps, "no_permission", "port 53", **without)
        with self.subTest("a key that cannot be read"):
            self.vps.write("wg0.key", self.vps_keys.private, 0o000)
            inline = f'private_key = "{self.vps_keys.private}"'
            self.vps.write("adit.toml", self.gateway_config().replace(inline, 'private_key_file = "wg0.key"'))
            self.expect_fault(self.vps, "no_permission", "wg0.key", **without)

    def test_are_told_apart_from_wrong_usage(self):
        for words in (("doctor", "--seconds", "0"), ("doctor", "wg0", "more")):
            self.assertEqual(self.vps.run(lab.ADIT, *words).returncode, lab.EXIT_USAGE)
        missing = self.vps.run(lab.ADIT, "doctor", "-c", self.vps.directory / "none.toml")
        self.assertEqual(missing.returncode, lab.EXIT_CONFIG)
        self.assertIn("config_wrong: ", missing.stdout)


if __name__ == "__main__":
    unittest.main()
