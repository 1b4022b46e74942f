"""The whole program under load, with everything that runs beside its loop: `./dev tsan` runs it, under ThreadSanitizer.

Two tunnels carry TCP and UDP both ways while `wg` asks, interfaces go down and up, one of them from another namespace,
keys change; a gateway with a configuration looks up its peers' names all the while, found ones and others.
"""

import os
import threading
import time
import unittest

import drop_in
import lab

os.environ.setdefault("ADIT_THREADS", "4")
SECONDS = int(os.environ.get("ADIT_LOAD_SECONDS", "120"))


class Load(drop_in.DropInLab):
    def until_the_end(self, action):
        """Does it again and again, on a thread of its own."""
        def repeat():
            while time.monotonic() < self.end:
                action()

        thread = threading.Thread(target=repeat)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def start_gateway(self):
        """Knows its peers by names: one that is found and tried again whenever it does not answer, one that is not."""
        keys = lab.Keys()
        key_file = self.two.write("gateway.key", keys.private + "\n")
        interface = {"name": "gateway", "private_key_file": str(key_file), "listen_port": 51999,
                     "addresses": ["10.77.0.1/24"]}
        peers = [("[[peer]]", {"public_key": lab.Keys().public, "endpoint": f"{host}:51998", "persistent_keepalive": 1,
                               "allowed_ips": [f"10.77.0.{number}/32"]})
                 for number, host in enumerate(("localhost", "nowhere.invalid"), 2)]
        config = self.two.write("gateway.toml", lab.toml(("[interface]", interface), *peers))
        self.keep(lab.Process(self.two.command(lab.ADIT, "run", "-c", config), self.two.directory / "gateway.log",
                              self.two.environment(), expect_exit=0))

    def transfer_both_ways(self):
        """An interface that is down ends a transfer; the next begins."""
        for options in (("-t", "5", "-P", "4"), ("-t", "5", "-R", "-P", "4"), ("-t", "3", "-u", "-b", "50M"), ("-t", "3", "-u", "-b", "50M", "-R")):
            self.run_on(self.one, "iperf3", "-c", "10.0.0.2", "--connect-timeout", "1000", *options)

    def interrupt(self):
        """Each end in turn; the transfer goes on when the interface is back."""
        for node, interface, number in ((self.one, "wg1", 1), (self.two, "wg2", 2)):
            node.ip("link", "set", interface, "down")
            node.ip("link", "set", interface, "up")
            node.add_address(interface, f"fd00::{number}/64")
            self.wg(node, "show", interface, "dump")
            time.sleep(2)  # a pace, not a wait: most of the time the tunnel shall carry

    def test_runs_clean(self):
        self.end = time.monotonic() + SECONDS
        self.start_both(PersistentKeepalive=1)
        self.start_gateway()
        self.expect_tunnel()
        self.keep(lab.Process(self.two.command("iperf3", "-s"), self.two.directory / "iperf3.log"))
        threads = [self.until_the_end(action) for action in (self.transfer_both_ways, self.interrupt)]
        for thread in threads:
            thread.join()
        self.expect_tunnel()


if __name__ == "__main__":
    unittest.main()
