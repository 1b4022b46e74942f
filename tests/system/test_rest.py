"""What the gateway costs: memory, time to start, wake-ups while nothing happens (the release program); privileges."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
import unittest

import factorio
import lab


def report(what, figure):
    """Figures are worth reading also when they are good enough."""
    print(f"{what}: {figure}", file=sys.stderr)


def status_of(process, key, base=10):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1], base)
    raise KeyError(key)


def only_one_user():
    """In a user namespace of one's own, without help from root, only one user is mapped."""
    return pathlib.Path("/proc/self/uid_map").read_text().split()[2] == "1"


@unittest.skipUnless(pathlib.Path(lab.ADIT_RELEASE).exists(), f"{lab.ADIT_RELEASE} is not built")
class Rest(factorio.FactorioTest):
    def start_everything(self, **home):
        self.gateway = self.start_gateway(lab.ADIT_RELEASE)
        self.start_home(**home)
        self.service = self.start_service()
        self.players_at_once = [self.player(self.players, address, self.SERVICE[1]) for address in self.PUBLIC]

    def test_takes_less_than_12_mb(self):
        self.start_everything()
        self.gateway.wait_for_handshake()
        for player in self.players_at_once:
            for size in range(0, 1392, 8):
                player.ask(bytes(size))
        memory = status_of(self.gateway, "VmRSS") / 1000
        report("VmRSS", f"{memory:.1f} MB")
        self.assertLess(memory, 12)

    def test_memory_stays_the_same_under_traffic(self):
        self.start_everything()
        self.gateway.wait_for_handshake()

        def play():
            for _ in range(10):
                for player in self.players_at_once:
                    for _ in range(50):
                        player.send(bytes(1000))
                    for _ in range(50):
                        player.receive()

        play()
        before = status_of(self.gateway, "VmRSS")
        play()
        play()
        growth = status_of(self.gateway, "VmRSS") - before
        report("growth over 2000 datagrams", f"{growth} KiB")
        self.assertLess(growth, 200)

    def test_is_ready_within_100_ms(self):
        config = self.vps.write("adit.toml", self.gateway_config())
        times = []
        for _ in range(5):
            begin = time.monotonic()
            process = subprocess.Popen(
                self.vps.command(lab.ADIT_RELEASE, "run", "-c", config),
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | self.vps.environment(),
            )
            with process:
                first_line = process.stderr.readline()
                times.append(1000 * (time.monotonic() - begin))
                process.terminate()
                process.communicate(timeout=lab.GENEROUS)
            self.assertIn(" ready: ", first_line)
        report("from exec to ready", ", ".join(f"{each:.0f} ms" for each in times))
        self.assertLess(statistics.median(times), 100)

    def test_sleeps_while_nothing_happens(self):
        self.start_everything(keepalive=0)
        with self.home.socket(lab.family_of("10.1.2.5")) as calling:
            calling.sendto(b"hello", ("10.1.2.5", 9))
        self.gateway.wait_for_handshake()
        self.players_at_once[0].ask(b"hello")
        for node in (self.vps, self.home):  # an address that becomes valid brings a route, which is news
            lab.wait_until(lambda: "tentative" not in node.ip("addr"), "addresses that are nobody else's")

        before = status_of(self.gateway, "voluntary_ctxt_switches")
        time.sleep(10)  # it is the silence itself that is measured
        wake_ups = status_of(self.gateway, "voluntary_ctxt_switches") - before
        report("wake-ups in 10 s", wake_ups)
        # The keepalive that WireGuard owes home 10 s after its last data, and little besides.
        self.assertLessEqual(wake_ups, 4)


class WithoutPrivileges(factorio.FactorioTest):
    """A gateway without a tun device needs none, as long as its ports are above 1023."""

    TUNNEL_PORT = 3420
    NOBODY = 65534

    def expect_forwards_work(self, gateway):
        self.assertEqual(status_of(gateway, "CapEff", 16), 0)
        self.start_home(endpoint=f"198.51.100.1:{self.TUNNEL_PORT}")
        self.start_service()
        gateway.wait_for_handshake()
        for address in self.PUBLIC:
            for _, port in (self.SERVICE, self.SERVICE6):
                self.assertEqual(self.player(self.players, address, port).ask(b"hello"), b"hello")
        self.assertFalse(self.vps.has_interface("wg0"))

    def test_forwards_work_without_capabilities(self):
        no_capabilities = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
        self.expect_forwards_work(self.start_gateway(wrapper=no_capabilities, interface={"tun": False}))

    @unittest.skipIf(only_one_user(), "there is only one user in this namespace")
    def test_forwards_work_for_any_user(self):
        program = pathlib.Path(shutil.copy(lab.ADIT, self.vps.directory))
        self.expect_forwards_work(self.start_gateway(program, user=self.NOBODY, interface={"tun": False}))

    def test_what_is_for_the_kernel_is_a_counted_drop(self):
        gateway = self.start_gateway(interface={"tun": False})
        self.start_home(endpoint=f"198.51.100.1:{self.TUNNEL_PORT}")
        with self.home.socket(lab.family_of("10.1.2.5")) as lost:
            lost.sendto(b"hello", ("10.1.2.5", 9))
        gateway.wait_for_drop("no_tun")
        self.assertEqual(gateway.drops(), {"no_tun": 1})


if __name__ == "__main__":
    unittest.main()
