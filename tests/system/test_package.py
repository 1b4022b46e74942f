"""The Debian package on a machine with systemd: installed, run, reloaded, upgraded while people play, purged."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import factorio
import lab
import machine
from test_reload import Traffic

BUILD = pathlib.Path(lab.ADIT_RELEASE).parent


def make_package(directory, release):
    """Of what has been built: nothing is compiled."""
    subprocess.run(["cpack", "--config", BUILD / "CPackConfig.cmake", "-B", directory, "-D",
                    f"CPACK_DEBIAN_PACKAGE_RELEASE={release}"], cwd=BUILD, check=True, capture_output=True)
    return next(pathlib.Path(directory).glob(f"*-{release}_*.deb"))


def setUpModule():
    global DIRECTORY, PACKAGE
    directory = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(directory.cleanup)
    DIRECTORY = pathlib.Path(directory.name)
    PACKAGE = make_package(DIRECTORY / "first", 1)


class Package(unittest.TestCase):
    def test_is_made_the_same_again(self):
        again = make_package(DIRECTORY / "again", 1)
        self.assertEqual(PACKAGE.read_bytes(), again.read_bytes())

    def test_is_as_debian_wants_it(self):
        result = lab.run("lintian", "--allow-root", "--fail-on", "error,warning", "--no-cfg", "--tag-display-limit", "0",
                         PACKAGE, timeout=60)
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def test_has_units_that_systemd_takes_and_calls_safe(self):
        lab.run("dpkg-deb", "-x", PACKAGE, DIRECTORY / "root", check=True)
        units = DIRECTORY / "root/usr/lib/systemd/system"
        for name in ("adit.service", "adit@.service"):
            text = (units / name).read_text()
            self.assertNotIn("@ADIT", text)
            self.assertIn("\nExecStart=/usr/bin/adit run", text)
            self.assertIn("\nType=notify\n", text)
            result = lab.run("systemd-analyze", "security", "--offline=true", "--threshold=19", "--no-pager",
                             units / name)
            print(result.stdout.splitlines()[-1])
            self.assertEqual(result.returncode, 0, result.stdout)


class Vps(factorio.FactorioTest):
    """The gateway is a service of a package there; home is a wireguard-go that nobody touches."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0 or self.is_root_of_a_user_namespace():
            raise unittest.SkipTest("a machine with systemd needs root")
        self.vps_machine = machine.Machine(self.vps, self.directory)
        self.addCleanup(self.vps_machine.finish)
        self.packages = (PACKAGE, make_package(self.directory / "second", 2))
        self.vps_machine.wait_until_up()

    @staticmethod
    def is_root_of_a_user_namespace():
        return pathlib.Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]

    def on_vps(self, *words, text=None):
        result = self.vps_machine.run(*words, text=text, timeout=60)
        self.assertEqual(result.returncode, 0, f"{words}: {result.stdout}{result.stderr}\n{self.journal()}")
        return result.stdout

    def journal(self, *words):
        return self.vps_machine.run("journalctl", "--no-pager", "-o", "cat", *words).stdout

    def install(self, package):
        # From outside of its root, by a descriptor: its name is of no file there.
        name = f"/tmp/{package.name}"
        with open(package, "rb") as deb:
            subprocess.run(["nsenter", "-t", self.vps_machine.first, "-m", "sh", "-c", f"cat >{name}"], stdin=deb,
                           check=True)
        self.on_vps("dpkg", "--install", name)

    def write(self, path, text, mode, owner="root"):
        self.on_vps("install", "-m", mode, "-o", owner, "/dev/stdin", path, text=text)

    def property(self, unit, name):
        return self.on_vps("systemctl", "show", "--value", "-p", name, unit).strip()

    def state(self, unit):
        return self.property(unit, "ActiveState")

    def status_of(self, unit):
        text = self.on_vps("cat", f"/proc/{self.property(unit, 'MainPID')}/status")
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def show(self, interface="wg0"):
        return json.loads(self.on_vps("adit", "show", interface, "--json"))

    def flows(self):
        return sum(forward["flows"] for forward in self.show()["forwards"])

    def configure(self, owner_of_key="adit"):
        self.write("/etc/adit/wg0.key", self.vps_keys.private + "\n", "600", owner_of_key)
        config = self.gateway_config().replace(f'private_key = "{self.vps_keys.private}"',
                                               'private_key_file = "wg0.key"')
        self.write("/etc/adit/adit.toml", config, "644")
        return config

    def start_to_play(self):
        self.start_home()
        self.service = self.start_service()
        lab.wait_until(lambda: self.show()["peers"][0]["latest_handshake"], "handshake")
        self.player_here = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        lab.wait_until(self.player_here.is_answered, "the player is answered")
        listener = self.vps.socket(lab.family_of("10.1.2.5"), lab.socket.SOCK_STREAM)
        self.addCleanup(listener.close)
        listener.bind(("10.1.2.5", 22))
        listener.listen()
        self.inside = self.home.socket(lab.family_of("10.1.2.5"), lab.socket.SOCK_STREAM)
        self.addCleanup(self.inside.close)
        self.inside.settimeout(lab.GENEROUS)
        self.inside.connect(("10.1.2.5", 22))
        self.other_inside = listener.accept()[0]
        self.addCleanup(self.other_inside.close)

    def says_through_the_tunnel(self, text):
        self.inside.sendall(text)
        self.other_inside.settimeout(lab.GENEROUS)
        return self.other_inside.recv(100) == text

    # The story, in its order.

    def test_lives_on_a_machine(self):
        before = self.vps_machine.changes()
        self.install(self.packages[0])
        self.nothing_runs_by_itself()
        config = self.configure()
        self.on_vps("systemctl", "enable", "--now", "adit")
        self.start_to_play()
        self.has_few_rights()
        self.reloads(config)
        for package in (self.packages[0], self.packages[1]):
            with self.subTest(package=package.name):
                self.upgrades_while_they_play(package)
        self.others_run_beside_it()
        self.is_started_again_when_it_dies()
        self.goes_without_a_trace(before)

    def nothing_runs_by_itself(self):
        self.assertEqual(self.state("adit.service"), "inactive")
        self.assertEqual(self.vps_machine.run("systemctl", "is-enabled", "adit").stdout, "disabled\n")
        self.assertRegex(self.on_vps("getent", "passwd", "adit"), r"^adit:.*:/usr/sbin/nologin\n")
        # Started without a configuration it says what it misses, and does not try again and again.
        self.fails("adit: read /etc/adit/adit.toml: No such file")
        self.configure(owner_of_key="root")
        self.fails("/etc/adit/adit.toml:.*wg0.key.*: Permission denied")

    def fails(self, why):
        self.vps_machine.run("systemctl", "start", "adit")
        lab.wait_until(lambda: self.state("adit") == "failed", "it has given up")
        self.assertRegex(self.journal("-u", "adit", "-p", "err"), why)

    def has_few_rights(self):
        status = self.status_of("adit.service")
        uid = self.on_vps("id", "-u", "adit").strip()
        self.assertEqual(set(status["Uid"].split()), {uid})
        capabilities = 1 << 12 | 1 << 10  # CAP_NET_ADMIN, CAP_NET_BIND_SERVICE
        self.assertEqual(int(status["CapEff"], 16), capabilities)
        for name in ("CapPrm", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[name], 16) & ~capabilities, 0, name)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        self.assertIn("wg0", self.on_vps("wg", "show", "interfaces"))
        self.assertIn("endpoint: 198.51.100.2:342", self.on_vps("wg", "show", "wg0"))
        # The journal has times of its own, and knows what is a warning.
        lines = self.journal("-u", "adit", "_COMM=adit").splitlines()
        self.assertIn("wg0 ready: udp port 342, 1 peer, 2 forwards", lines)
        self.assertNotIn(" ready: ", self.journal("-u", "adit", "-p", "warning"))

    def reloads(self, config):
        more = lab.toml(("[[forward]]", {"name": "more", "listen": "0.0.0.0:5000", "to": "10.1.2.2:34197"}))
        self.write("/etc/adit/adit.toml", config + more, "644")
        self.on_vps("systemctl", "reload", "adit")
        other = self.player(self.players, self.PUBLIC[0], 5000)
        lab.wait_until(other.is_answered, "the new forward is there")
        self.write("/etc/adit/adit.toml", config + more + "[[forward]]\n", "644")
        self.assertNotEqual(self.vps_machine.run("systemctl", "reload", "adit").returncode, 0)
        self.assertIn("/etc/adit/adit.toml:", self.journal("-u", "adit", "-p", "err", "-n", "3"))
        self.assertEqual(self.state("adit.service"), "active")
        self.assertTrue(self.player_here.is_answered())
        self.write("/etc/adit/adit.toml", config + more, "644")

    def upgrades_while_they_play(self, package):
        process, flows, sources = self.property("adit", "MainPID"), self.flows(), set(self.service.sources)
        self.assertTrue(self.says_through_the_tunnel(b"before"))
        traffic = Traffic(self.player_here, 200)
        traffic.flows(50)
        self.install(package)
        self.assertEqual(self.state("adit.service"), "active")
        traffic.flows(50)
        traffic.lost()
        # The player is the same to the service, and a connection inside the tunnel is the same connection.
        self.assertEqual(self.service.sources, sources)
        self.assertEqual(self.flows(), flows)
        self.assertTrue(self.says_through_the_tunnel(b"after"))
        self.assertNotEqual(self.property("adit", "MainPID"), process)
        version = self.on_vps("dpkg-query", "-W", "-f", "${Version}", "adit")
        self.assertIn(f"adit_{version}_", package.name)
        missing = sorted(set(range(traffic.sent)) - traffic.returned)
        print(f"upgrade to {version}: {len(missing)} of {traffic.sent} datagrams lost at 200 a second, "
              f"from {missing[:1]} to {missing[-1:]}")

    def is_started_again_when_it_dies(self):
        process = self.property("adit", "MainPID")
        self.on_vps("systemctl", "kill", "--signal=KILL", "adit")
        lab.wait_until(lambda: self.property("adit", "MainPID") not in ("0", process), "it runs again")
        lab.wait_until(lambda: self.vps_machine.run("adit", "show", "wg0").returncode == 0, "it answers")

    def others_run_beside_it(self):
        key = lab.Keys().private
        self.write("/etc/adit/second.toml", lab.toml(("[interface]", {
            "name": "wg1", "private_key": key, "listen_port": 343, "addresses": ["10.2.0.1/24"]})), "600", "adit")
        self.on_vps("systemctl", "enable", "--now", "adit@second")
        self.assertEqual(sorted(self.on_vps("wg", "show", "interfaces").split()), ["wg0", "wg1"])
        self.on_vps("systemctl", "stop", "adit")
        self.assertEqual(self.on_vps("wg", "show", "interfaces").split(), ["wg1"])
        self.on_vps("systemctl", "start", "adit")
        lab.wait_until(self.player_here.is_answered, "the first one is back")

    def goes_without_a_trace(self, before):
        self.on_vps("dpkg", "--remove", "adit")
        self.assertEqual(self.vps_machine.run("pgrep", "adit").stdout, "")
        for interface in ("wg0", "wg1"):
            self.assertFalse(self.vps.has_interface(interface))
        self.assertIn("wg0.key", self.on_vps("ls", "/etc/adit"))
        self.on_vps("dpkg", "--purge", "adit")
        self.assertNotIn("wireguard", self.on_vps("ls", "/run"))
        # What dpkg, systemctl and whoever makes users write is theirs.
        theirs = re.compile(r"/var/(lib/dpkg|log|cache)/|/etc/(passwd|group|shadow|gshadow|\.pwd\.lock)-?$|"
                            r"/etc/systemd/system/multi-user\.target\.wants$")
        left = {path for path in self.vps_machine.changes() - before if not theirs.match(path)}
        self.assertEqual(left, {"/etc/adit", "/etc/adit/adit.toml", "/etc/adit/wg0.key", "/etc/adit/second.toml"})


if __name__ == "__main__":
    unittest.main()
