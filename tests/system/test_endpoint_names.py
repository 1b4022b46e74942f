"""Endpoints that are names: looked up, looked up again, and never waited for."""

import pathlib
import socket
import time
import unittest

import lab
from ends import VPS_OUTSIDE, Ends


class EndpointNames(Ends):
    def start_both_by_name(self):
        return self.start_gateway(), self.start_adit_at_home(endpoint="gateway.example:342", persistent_keepalive=1)

    def replace(self, path, text):
        """Makes a file of the system say `text`, for this test's programs only."""
        ours = self.directory / path.name
        is_new = not ours.exists()
        ours.write_text(text)
        if is_new:
            ours.chmod(0o644)
            lab.run("mount", "--bind", str(ours), str(path), check=True)
            self.addCleanup(lab.run, "umount", str(path), check=True)

    def name_hosts(self, text):
        self.replace(pathlib.Path("/etc/hosts"), text)

    def test_are_looked_up(self):
        for outside, address in (("IPv4", "198.51.100.1"), ("IPv6", "2001:db8:2::1")):
            with self.subTest(outside=outside):
                self.name_hosts(f"127.0.0.1 localhost\n{address} gateway.example\n")
                gateway, home = self.start_both_by_name()
                self.ping(self.home, "10.1.2.5")
                self.assertEqual(home.peer()["endpoint"], VPS_OUTSIDE[outside])
                gateway.finish()
                home.finish()

    def test_are_looked_up_again_when_nobody_answers_there(self):
        self.name_hosts("198.51.100.99 gateway.example\n")
        gateway, home = self.start_both_by_name()
        lab.wait_until(lambda: home.peer()["endpoint"] == "198.51.100.99:342", "the old address")
        self.name_hosts("198.51.100.1 gateway.example\n")
        gateway.wait_for_handshake(timeout=30)

    def test_that_nobody_knows_are_tried_again(self):
        self.name_hosts("127.0.0.1 localhost\n")
        gateway, home = self.start_both_by_name()
        home.wait_for_log("look up gateway.example")
        self.name_hosts("198.51.100.1 gateway.example\n")
        gateway.wait_for_handshake(timeout=30)

    @unittest.skipUnless(pathlib.Path("/etc/resolv.conf").exists(), "there is no /etc/resolv.conf to replace")
    def test_whose_server_is_silent_hold_up_neither_start_nor_end(self):
        self.replace(pathlib.Path("/etc/resolv.conf"), "nameserver 198.51.100.1\n")
        self.name_hosts("127.0.0.1 localhost\n")
        with self.vps.socket(socket.AF_INET) as server:
            server.bind(("198.51.100.1", 53))
            server.settimeout(lab.GENEROUS)
            home = self.start_adit_at_home(endpoint="gateway.example:342")
            self.assertIn(b"gateway", server.recv(512))
            home.show()
            begin = time.monotonic()
            self.assertEqual(home.stop(), 0)
            self.assertLess(time.monotonic() - begin, 2)


if __name__ == "__main__":
    unittest.main()
