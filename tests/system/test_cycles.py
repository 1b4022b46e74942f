"""Up and down again, many times, by wg-quick and as systemd's wg-quick@.service does it; and nothing is left.

one   default route by two, everything through the tunnel when it is up
two   198.51.100.2, 2001:db8:1::2   where one's peer is: reached by the default route, so only past the tunnel's
      203.0.113.1, 2001:db8:2::1    the rest of the world
"""

import collections
import contextlib
import fcntl
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import threading
import unittest

import drop_in
import lab

CYCLES = 50
ENDPOINTS = ("198.51.100.2:51820", "[2001:db8:1::2]:51820")
WORLD = ("203.0.113.1", "2001:db8:2::1")
CONF_DIRECTORY = pathlib.Path("/etc/wireguard")

# What the unit says where it is not installed.
UNIT_FILES = [pathlib.Path(root, "systemd/system/wg-quick@.service") for root in ("/usr/lib", "/lib")]
UNIT = """
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/wg-quick up %i
ExecStop=/usr/bin/wg-quick down %i
ExecReload=/bin/bash -c 'exec /usr/bin/wg syncconf %i <(exec /usr/bin/wg-quick strip %i)'
Environment=WG_ENDPOINT_RESOLUTION_RETRIES=infinity
"""


def unit(interface):
    """The unit's settings."""
    text = next((path.read_text() for path in UNIT_FILES if path.exists()), UNIT)
    settings = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key: value.replace("%i", interface) for key, value in settings.items()}


def firewall_listings():
    """Commands that list what wg-quick adds to the firewall; it takes nft where that is, or else iptables."""
    if shutil.which("nft"):
        return [["nft", "list", "ruleset"]]
    if shutil.which("iptables-restore"):
        return [["iptables-save"], ["ip6tables-save"]]
    return []


def processes():
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (words := (entry / "cmdline").read_bytes()):
                found[int(entry.name)] = words
    return found


def descriptors(pid):
    """How many a process has of each kind."""
    kinds = collections.Counter()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        kinds[os.readlink(entry).split(":[")[0]] += 1
    return kinds


class CyclesLab(drop_in.DropInLab):
    def setUp(self):
        super().setUp()
        if self.one_has_the_kernels_wireguard():
            self.skipTest("wg-quick takes the kernel's WireGuard, which is here")
        self.two.add_address("lo", "198.51.100.2/32", "2001:db8:1::2/128", *WORLD)
        self.one.ip("route", "add", "default", "via", "192.0.2.2")
        self.one.ip("-6", "route", "add", "default", "via", "2001:db8::2")
        self.environment = {"WG_QUICK_USERSPACE_IMPLEMENTATION": lab.ADIT, "PATH": self.path()} | lab.SANITIZERS
        # The daemon's output goes nowhere; what its sanitizers have to say should not.
        self.environment["ASAN_OPTIONS"] += f":log_path={self.directory}/sanitizer"
        self.partner = self.start(self.two, "wg2")
        self.configure(self.two, "wg2", self.keys_two, self.keys_one, None, 2, 1)
        self.address(self.two, "wg2", 2)
        self.conf = self.two.directory / "wg1.conf"
        self.addCleanup(self.end_daemons)
        # What is compared with later should have come to rest.
        lab.wait_until(lambda: "tentative" not in self.one.ip("addr"), "addresses that are nobody else's")

    def end_daemons(self):
        """Those of a test that failed."""
        for pid in drop_in.processes_of("wg1"):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def one_has_the_kernels_wireguard(self):
        return self.run_on(self.one, "ip", "link", "add", "probe", "type", "wireguard").returncode == 0

    def path(self):
        """Strict reverse path filtering needs the marks that wg-quick's firewall keeps.  Without a firewall's tool, one
        that does nothing stands in for it, and the routes are what is tested."""
        strict = bool(firewall_listings())
        self.run_on(self.one, "sysctl", "-qw", f"net.ipv4.conf.all.rp_filter={int(strict)}", check=True)
        self.run_on(self.one, "sysctl", "-qw", f"net.ipv4.conf.eth0.rp_filter={int(strict)}", check=True)
        path = os.environ["PATH"]
        if strict:
            return path
        stand_in = self.directory / "bin"
        stand_in.mkdir()
        (stand_in / "nft").write_text("#!/bin/sh\n")
        (stand_in / "nft").chmod(0o755)
        return f"{path}:{stand_in}"

    # ---- what is there

    def everything(self):
        """All of the machine that a tunnel could leave a trace in."""
        listings = [["ip", "-o", "link"], ["ip", "-o", "addr"], ["ss", "-Hanu"]]
        for version in ("-4", "-6"):
            listings += [["ip", version, "rule"], ["ip", version, "route", "show", "table", "all"]]
        state = {" ".join(words): self.run_on(self.one, *words, check=True).stdout for words in listings}
        state["firewall"] = self.firewall()
        state["control sockets"] = sorted(drop_in.RUN_DIRECTORY.iterdir())
        state["files"] = sorted(self.conf.parent.iterdir())
        state["processes"] = processes()
        return state

    def firewall(self):
        text = "".join(self.run_on(self.one, *words, check=True).stdout for words in firewall_listings())
        # iptables' tables and chains come to be when they are first used, and stay.
        return re.sub(r"^(?:[#*:].*|COMMIT)\n", "", text, flags=re.M)

    def expect_as_before(self, before):
        after = self.everything()
        for what in before:
            self.assertEqual(after[what], before[what], what)

    def daemon(self):
        (pid,) = drop_in.processes_of("wg1")
        return pid

    def expect_end(self, pid):
        """It is this process's child, as is everybody's orphan: so its exit status is seen."""
        _, status = lab.wait_until(lambda: (ended := os.waitpid(pid, os.WNOHANG))[0] and ended, "the daemon's end")
        reports = "".join(path.read_text() for path in self.directory.glob("sanitizer*"))
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, reports)

    def expect_world(self):
        """It is reached, and by the tunnel."""
        for address in WORLD:
            self.assertIn(" dev wg1 ", self.one.ip("route", "get", address))
            lab.wait_until(lambda: self.pings(self.one, address), f"a ping to {address}")

    # ---- what is done

    def conf_text(self, endpoint=ENDPOINTS[0], interface=(), peers=()):
        return "\n".join([
            "[Interface]", "Address = 10.0.0.1/24, fd00::1/64", f"PrivateKey = {self.keys_one.private}",
            "ListenPort = 51820", *interface,
            "[Peer]", f"PublicKey = {self.keys_two.public}", "AllowedIPs = 0.0.0.0/0, ::/0", f"Endpoint = {endpoint}",
            *peers,
        ]) + "\n"

    def write_conf(self, text):
        self.conf.write_text(text)
        self.conf.chmod(0o600)

    def do(self, *words):
        """Runs a command to the end of its output: that of a daemon which keeps it open would never come."""
        result = self.run_on(self.one, *words, environment=self.environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result


class WgQuick(CyclesLab):
    def quick(self, verb):
        return self.do("wg-quick", verb, self.conf)

    def test_goes_up_and_down_and_leaves_nothing(self):
        hooks = self.directory / "hooks"
        verbs = ("PreUp", "PostUp", "PreDown", "PostDown")
        lines = [f"{verb} = echo {verb} %i >> {hooks}" for verb in verbs]
        self.write_conf(self.conf_text(interface=["SaveConfig = true", *lines]))
        before, partners_descriptors, saved = self.everything(), None, set()
        for cycle in range(CYCLES):
            self.quick("up")
            daemon = self.daemon()
            self.expect_world()
            self.assertEqual(self.wg(self.one, "show", "wg1", "fwmark").strip(), hex(51820))
            peer = ["peer", self.keys_two.public, "endpoint", ENDPOINTS[(cycle + 1) % 2]]
            self.wg(self.one, "set", "wg1", *peer, "persistent-keepalive", str(cycle + 1))
            self.quick("save")
            self.assertIn(f"\nPersistentKeepalive = {cycle + 1}\n", self.conf.read_text())
            if cycle == 0:
                partners_descriptors = descriptors(self.partner.pid)
            self.quick("down")
            self.expect_end(daemon)
            self.expect_as_before(before)
            saved.add("".join(
                line for line in self.conf.read_text().splitlines(True) if not line.startswith(("Endpoint", "Persist"))
            ))
            self.assertEqual(hooks.read_text().splitlines(), [f"{verb} wg1" for verb in verbs] * (cycle + 1))
        self.assertEqual(len(saved), 1, "the configuration that is saved grows")
        self.assertIn(ENDPOINTS[CYCLES % 2], self.conf.read_text())
        self.assertEqual(descriptors(self.partner.pid), partners_descriptors)

    @unittest.skipUnless(firewall_listings(), "neither nft nor iptables is here")
    def test_has_a_firewall_while_it_is_up(self):
        self.write_conf(self.conf_text())
        before = self.firewall()
        self.quick("up")
        self.assertIn("10.0.0.1", self.firewall())
        self.assertIn("fd00::1", self.firewall())
        self.expect_world()
        self.quick("down")
        self.assertEqual(self.firewall(), before)

    def test_goes_up_again_at_once(self):
        self.write_conf(self.conf_text())
        before, daemons = self.everything(), set()
        for _ in range(CYCLES):
            self.quick("up")
            daemons.update(drop_in.processes_of("wg1"))
            self.quick("down")
        for daemon in daemons:
            self.expect_end(daemon)
        self.assertEqual(len(daemons), CYCLES)
        self.expect_as_before(before)

    def test_goes_up_while_the_daemon_of_before_has_not_ended(self):
        """Which then takes nothing of its successor's with it."""
        self.write_conf(self.conf_text(interface=["Table = off"]))
        before = self.everything()
        self.quick("up")
        former = self.daemon()
        os.kill(former, signal.SIGSTOP)
        self.do("ip", "link", "del", "wg1")
        waker = threading.Timer(0.3, os.kill, (former, signal.SIGCONT))
        self.addCleanup(waker.cancel)
        waker.start()
        self.quick("up")
        self.expect_end(former)
        lab.wait_until(lambda: self.pings(self.one, "10.0.0.2"), "a ping")
        latter = self.daemon()
        self.quick("down")
        self.expect_end(latter)
        self.expect_as_before(before)

    def test_returns_and_its_daemon_holds_nothing_that_its_caller_had_open(self):
        """Neither its output, nor for instance the lock file of a script that called it."""
        self.write_conf(self.conf_text())
        lock_reader, lock = os.pipe()
        high = fcntl.fcntl(lock, fcntl.F_DUPFD, 50)  # where nothing else comes to lie by chance
        with subprocess.Popen(
            self.one.command("wg-quick", "up", self.conf), env=os.environ | self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[high],
        ) as command, open(lock_reader, "rb") as lock_reader:
            for writer in (lock, high):
                os.close(writer)
            self.assertEqual(command.wait(lab.GENEROUS), 0)
            for reader in (command.stdout, command.stderr, lock_reader):
                os.set_blocking(reader.fileno(), False)
                while os.read(reader.fileno(), 65536):  # raises where it would wait
                    pass
        daemon = self.daemon()
        for number in range(3):
            self.assertEqual(os.readlink(f"/proc/{daemon}/fd/{number}"), "/dev/null")
        self.quick("down")
        self.expect_end(daemon)


class SystemdUnit(CyclesLab):
    """The commands of wg-quick@wg1.service, as systemd runs them."""

    def setUp(self):
        super().setUp()
        if not CONF_DIRECTORY.is_dir():
            self.skipTest(f"no {CONF_DIRECTORY}")
        lab.run("mount", "--bind", str(self.conf.parent), str(CONF_DIRECTORY), check=True)
        self.addCleanup(lab.run, "umount", str(CONF_DIRECTORY), check=True)
        self.unit = unit("wg1")
        self.assertEqual((self.unit["Type"], self.unit["RemainAfterExit"]), ("oneshot", "yes"))

    def execute(self, verb):
        """In an environment that holds nothing but what systemd, the unit and a drop-in file put there."""
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        self.do("env", "-i", *variables, self.unit["Environment"], *shlex.split(self.unit[verb]))

    def test_starts_reloads_and_stops_and_leaves_nothing(self):
        second = lab.Keys().public
        # syncconf sets what is not there to nothing, also the mark that wg-quick chose.
        mark = ["FwMark = 0xca6c"]
        before = partners_descriptors = None
        for cycle in range(CYCLES):
            self.write_conf(self.conf_text(ENDPOINTS[cycle % 2], mark))
            before = before or self.everything()
            self.execute("ExecStart")
            daemon = self.daemon()
            self.expect_world()
            handshake = self.wg(self.one, "show", "wg1", "latest-handshakes")

            other = ["PersistentKeepalive = 7", "[Peer]", f"PublicKey = {second}", "AllowedIPs = 10.9.0.0/16"]
            self.write_conf(self.conf_text(ENDPOINTS[(cycle + 1) % 2], mark, other))
            self.execute("ExecReload")
            peers = dict(line.split() for line in self.wg(self.one, "show", "wg1", "persistent-keepalive").splitlines())
            self.assertEqual(peers, {self.keys_two.public: "7", second: "off"})
            self.assertIn(handshake, self.wg(self.one, "show", "wg1", "latest-handshakes"), "the session goes on")
            self.expect_world()
            self.assertEqual(self.daemon(), daemon)

            if cycle == 0:
                partners_descriptors = descriptors(self.partner.pid)
            self.execute("ExecStop")
            self.expect_end(daemon)
            self.expect_as_before(before)
        self.assertEqual(descriptors(self.partner.pid), partners_descriptors)

    def test_restarts_at_once(self):
        self.write_conf(self.conf_text())
        before, daemons = self.everything(), []
        self.execute("ExecStart")
        for _ in range(CYCLES // 5):
            daemons.append(self.daemon())
            self.execute("ExecStop")
            self.execute("ExecStart")
            self.expect_world()
            self.expect_end(daemons[-1])
        last = self.daemon()
        self.execute("ExecStop")
        self.expect_end(last)
        self.expect_as_before(before)


if __name__ == "__main__":
    unittest.main()
