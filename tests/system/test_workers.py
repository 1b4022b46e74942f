"""Two workers: both have work, in both directions, and nobody notices but by the time it takes.

Which thread serves what is seen by how often it has slept: one that has nothing to do sleeps on, and is not counted.
"""

import fcntl
import os
import pathlib
import struct
import subprocess
import unittest

import lab
from drop_in import DropInLab, processes_of

os.environ["ADIT_THREADS"] = "4"

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
OUTBOUNDS, INBOUNDS = (0, 2), (1, 3)  # in the order in which threads are started
BUSY = 20  # times that a thread was woken, which a few packets of the kernel's own do not make


class Workers(DropInLab):
    def sleeps(self, pid):
        """How often each of the four threads has slept."""
        tasks = sorted(pathlib.Path(f"/proc/{pid}/task").iterdir(), key=lambda task: int(task.name))[-4:]
        lines = [line for task in tasks for line in (task / "status").read_text().splitlines()]
        return [int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches")]

    def busy_threads(self, pid, action):
        before = self.sleeps(pid)
        action()
        return {number for number, (was, now) in enumerate(zip(before, self.sleeps(pid))) if now - was >= BUSY}

    def many_pings(self, address, count=50):
        result = self.run_on(self.one, "ping", "-n", "-c", count, "-i", "0.002", "-W", "5", address)
        self.assertEqual(result.returncode, 0, result.stdout)

    def sockets(self, node, port=51820):
        return self.run_on(node, "ss", "-Hlnue", f"sport = :{port}", check=True).stdout.splitlines()

    def pid(self, interface):
        [pid] = processes_of(interface)
        return pid

    def test_share_the_flows_of_one_peer(self):
        """Though all it sends comes by one socket."""
        self.start_both()
        self.expect_tunnel()
        busy = self.busy_threads(self.pid("wg1"), lambda: self.iperf(self.one, self.two, "10.0.0.2", "-P", 16, "-t", 2))
        self.assertLessEqual(set(OUTBOUNDS), busy)
        self.assertEqual(len(busy & set(INBOUNDS)), 1)

    def test_keep_each_flow_in_order(self):
        one, two = self.start_both()
        self.expect_tunnel()
        for address in ("10.0.0.2", "fd00::2"):
            for direction in ((), ("-R",)):
                with self.subTest(address=address, direction=direction):
                    options = ("-u", "-b", "10M", "-l", 1000, "-P", 8, "-t", 2, *direction)
                    streams = self.iperf(self.one, self.two, address, *options)["streams"]
                    self.assertEqual(len(streams), 8)
                    self.assertEqual([each["udp"]["out_of_order"] for each in streams], [0] * 8)
                    self.assertGreater(min(each["udp"]["packets"] for each in streams), 1000)

    def test_share_the_peers(self):
        """A second one moves from port to port until its datagrams come by the other socket than the first one's."""
        self.start_both()
        self.expect_tunnel()
        self.start(self.two, "wg3")
        keys = lab.Keys()
        self.configure(self.two, "wg3", keys, self.keys_one, "192.0.2.1:51820", 3, 1, port=51900)
        # Behind the tunnel 10.0.0.1 is who asks; what is answered goes back by the interface that was asked.
        self.two.ip("link", "set", "wg3", "up")
        self.two.add_address("wg3", "10.0.0.3/32")
        self.two.ip("rule", "add", "from", "10.0.0.3", "lookup", "77")
        self.two.ip("route", "add", "10.0.0.1/32", "dev", "wg3", "table", "77")
        self.wg(self.one, "set", "wg1", "peer", keys.public, "allowed-ips", "10.0.0.3/32", "endpoint", "192.0.2.2:51900")
        pid = self.pid("wg1")
        [first] = self.busy_threads(pid, lambda: self.many_pings("10.0.0.2")) & set(INBOUNDS)
        for port in range(51900, 51930):
            self.wg(self.two, "set", "wg3", "listen-port", port)
            self.wg(self.one, "set", "wg1", "peer", keys.public, "endpoint", f"192.0.2.2:{port}")
            lab.wait_until(lambda: self.pings(self.one, "10.0.0.3"), "a ping of the second peer")
            [second] = self.busy_threads(pid, lambda: self.many_pings("10.0.0.3")) & set(INBOUNDS)
            if second != first:
                break
        self.assertNotEqual(second, first)
        both = self.busy_threads(pid, lambda: [self.many_pings("10.0.0.2"), self.many_pings("10.0.0.3")])
        self.assertLessEqual(set(INBOUNDS), both)

    def test_all_follow_the_interface(self):
        self.start_both(PersistentKeepalive=1)
        self.expect_tunnel()
        self.assertEqual(len(self.sockets(self.one)), 4)
        self.wg(self.one, "set", "wg1", "fwmark", "0x7")
        self.assertEqual([line.count("fwmark:0x7") for line in self.sockets(self.one)], [1] * 4)
        self.wg(self.one, "set", "wg1", "listen-port", "51999")
        self.assertEqual(self.sockets(self.one), [])
        self.assertEqual([line.count("fwmark:0x7") for line in self.sockets(self.one, 51999)], [1] * 4)
        self.expect_tunnel()
        self.one.ip("link", "set", "wg1", "down")
        lab.wait_until(lambda: not self.sockets(self.one, 51999), "no sockets while it is down")
        self.one.ip("link", "set", "wg1", "up")
        self.one.add_address("wg1", "fd00::1/64")
        lab.wait_until(lambda: len(self.sockets(self.one, 51999)) == 4, "all sockets again")
        self.expect_tunnel()

    def test_want_a_port_for_themselves(self):
        self.start_both()
        second = self.start(self.one, "wg3")
        self.one.ip("link", "set", "wg3", "up")
        lab.wait_until(lambda: self.sockets_of(second), "a port of its own")
        result = self.run_on(self.one, "wg", "set", "wg3", "listen-port", "51820")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("another program has this port", second.log())

    def sockets_of(self, process):
        return f"pid={process.pid}," in self.run_on(self.one, "ss", "-Hlnup", check=True).stdout

    def test_in_the_background_share_flows_too(self):
        self.assertEqual(self.run_on(self.one, lab.ADIT, "wg1").returncode, 0)
        self.addCleanup(self.run_on, self.one, "ip", "link", "del", "wg1")
        self.start(self.two, "wg2")
        self.configure_both()
        self.address(self.one, "wg1", 1)
        self.address(self.two, "wg2", 2)
        self.expect_tunnel()
        busy = self.busy_threads(self.pid("wg1"), lambda: self.iperf(self.one, self.two, "10.0.0.2", "-P", 16, "-t", 2))
        self.assertLessEqual(set(OUTBOUNDS), busy)

    def test_do_with_the_one_queue_that_was_given(self):
        with self.one.entered():
            tun = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"wg1", IFF_TUN | IFF_NO_PI))
        given = {"WG_TUN_FD": str(tun), "WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "verbose"}
        log = self.directory / "given.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                self.one.command(lab.ADIT, "wg1"), env=os.environ | lab.SANITIZERS | given, stdout=output, stderr=output,
                pass_fds=(tun,),
            )
        self.addCleanup(process.kill)
        os.close(tun)
        lab.wait_until(lambda: self.answers(self.one, "wg1"), "wg1 answers wg")
        self.start(self.two, "wg2")
        self.configure_both()
        self.address(self.one, "wg1", 1)
        self.address(self.two, "wg2", 2)
        self.expect_tunnel()
        self.iperf(self.one, self.two, "10.0.0.2", "-P", 4, "-t", 1)
        process.terminate()
        self.assertEqual(process.wait(lab.GENEROUS), 0, log.read_text())
        self.assertIn("4 threads for traffic, but the tun has 1 of 2 queues", log.read_text())


if __name__ == "__main__":
    unittest.main()
