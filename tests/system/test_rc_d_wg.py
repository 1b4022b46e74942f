"""rc.d/adit_wg: interfaces from wg-quick's files as a service of FreeBSD's; and adit under the stock wireguard script."""

import pathlib
import unittest

import lab
import rc_d_lab

SOCKETS = pathlib.Path("/var/run/wireguard")


class Interfaces(rc_d_lab.RcDTest):
    SCRIPT = "adit_wg"

    def setUp(self):
        super().setUp()
        self.keys, self.peer_keys = lab.Keys(), lab.Keys()
        self.write_rc_conf(adit_wg_enable="YES", adit_wg_interfaces="wg0 wg1", adit_wg_timeout=5)
        self.configure("wg0", 1)
        self.configure("wg1", 2)

    def configure(self, interface, number, *lines, allowed_ips=None, port=51820):
        text = "\n".join([
            "[Interface]  # ours",
            f"  privatekey = {self.keys.private}",
            f"ListenPort={port + number}",
            f"Address = 10.{number}.0.1/24,fd0{number}::1/64 # inside",
            f"address = 10.{number}.9.1/32",
            "MTU = 1380\r",
            *lines,
            "[Peer]",
            f"PublicKey = {self.peer_keys.public}",
            f"AllowedIPs = {allowed_ips or f'10.{number}.0.0/24, 10.{number}.7.0/24, fd0{number}:7::/48'}",
        ])
        path = self.prefix / f"etc/wireguard/{interface}.conf"
        path.write_text(text + "\n")
        path.chmod(0o600)

    def routes(self, interface):
        words = ("route", "show", "dev", interface, "proto", "boot")
        lines = self.vps.ip(*words).splitlines() + self.vps.ip("-6", *words).splitlines()
        return {line.split()[0] for line in lines}

    def port(self, interface):
        return int(self.vps.run("wg", "show", interface, "listen-port", check=True).stdout)


class Start(Interfaces):
    def test_brings_up_what_the_files_say_and_stop_leaves_nothing(self):
        self.succeed("start")
        addresses = self.vps.ip("-brief", "address", "show", "dev", "wg0").split()
        for address in ("10.1.0.1/24", "10.1.9.1/32", "fd01::1/64"):
            self.assertIn(address, addresses)
        self.assertEqual(self.routes("wg0"), {"10.1.7.0/24", "fd01:7::/48"})
        self.assertIn("mtu 1380", self.vps.ip("link", "show", "wg0"))
        self.assertEqual((self.port("wg0"), self.port("wg1")), (51821, 51822))
        self.succeed("status")
        self.succeed("stop")
        self.expect_nothing_left()
        self.fail_with("wg0 is not up\nadit_wg: wg1 is not up", "status")

    def test_ten_times_leaves_nothing(self):
        for _ in range(10):
            self.succeed("start")
            self.succeed("stop")
            self.expect_nothing_left()

    def test_of_one_leaves_the_other_alone(self):
        self.succeed("start", "wg1")
        self.assertFalse(self.vps.has_interface("wg0"))
        self.succeed("stop", "wg1")
        self.expect_nothing_left()

    def test_sets_no_routes_where_the_table_is_off(self):
        self.configure("wg0", 1, "Table = off")
        self.succeed("start", "wg0")
        self.assertEqual(self.routes("wg0"), set())

    def test_a_second_time_is_refused_and_the_first_goes_on(self):
        self.succeed("start", "wg0")
        self.fail_with("wg0: exists already", "start", "wg0")
        self.succeed("status", "wg0")

    def test_of_what_needs_wg_quick_is_refused(self):
        for line in ("DNS = 9.9.9.9", "PostUp = touch /tmp/x", "predown=true", "SaveConfig = true"):
            with self.subTest(line=line):
                self.configure("wg0", 1, line)
                self.fail_with("wg0: .*need wg-quick: .*wg0.conf", "start", "wg0")
        self.configure("wg0", 1, allowed_ips="10.0.0.0/8, 0.0.0.0/0")
        self.fail_with("wg0: .*routes to everywhere", "start", "wg0")
        self.expect_nothing_left()
        self.configure("wg0", 1, "Table = off", allowed_ips="0.0.0.0/0, ::/0")
        self.succeed("start", "wg0")

    def test_of_a_file_that_wg_refuses_leaves_nothing(self):
        self.configure("wg0", 1, "ListenPort = many")
        self.fail_with("many", "start", "wg0")
        self.expect_nothing_left()

    def test_without_a_file_names_it(self):
        (self.prefix / "etc/wireguard/wg0.conf").unlink()
        result = self.fail_with("wg0: .*wg0.conf is not readable", "start")
        self.assertIn("wg1 is up", result.stdout)

    def test_of_odd_names_is_refused(self):
        for name in ("../wg0", "-x", "wg0;id", "sixteen-bytes-16", ".", "*"):
            with self.subTest(name=name):
                self.fail_with("cannot be an interface", "start", name)
        self.expect_nothing_left()


class WhileItRuns(Interfaces):
    def setUp(self):
        super().setUp()
        self.succeed("start", "wg0")

    def test_reload_takes_a_changed_file(self):
        self.configure("wg0", 1, port=1000)
        self.succeed("reload", "wg0")
        self.assertEqual(self.port("wg0"), 1001)

    def test_a_wrong_file_changes_nothing(self):
        self.configure("wg0", 1, "ListenPort = many")
        self.fail_with("many", "reload", "wg0")
        self.assertEqual(self.port("wg0"), 51821)

    def test_stop_of_what_is_not_up_fails_but_at_shutdown(self):
        self.fail_with("wg1 is not up", "stop", "wg1")
        self.assertEqual(self.succeed("faststop", "wg1").stderr, "")

    def test_stop_leaves_an_interface_alone_that_is_not_ours(self):
        self.vps.ip("tuntap", "add", "wg1", "mode", "tun")
        self.fail_with("wg1: not adit's", "stop", "wg1")
        self.assertTrue(self.vps.has_interface("wg1"))


STOCK = """
. {subr}
name=wireguard
rcvar=wireguard_enable
start_cmd='eval export $wireguard_env; for interface in $wireguard_interfaces; do {quick} up $interface; done'
stop_cmd='for interface in $wireguard_interfaces; do {quick} down $interface; done'
load_rc_config wireguard
run_rc_command "$1"
"""

# What wg-quick does on FreeBSD with an implementation in user space, and all that it knows of it.
QUICK = """#!/bin/sh
set -e
interface=$2
if [ "$1" = up ]; then
  "${{WG_QUICK_USERSPACE_IMPLEMENTATION:-wireguard-go}}" "$interface"
  wg setconf "$interface" {conf}
  ifconfig "$interface" up
else
  [ -S "/var/run/wireguard/$interface.sock" ]
  rm -f "/var/run/wireguard/$interface.sock"
  while ifconfig "$interface" >/dev/null 2>&1; do sleep 0.1; done
fi
"""


class StockScript(rc_d_lab.RcDTest):
    """wireguard_env="WG_QUICK_USERSPACE_IMPLEMENTATION=adit" is all that the wireguard-tools port's script needs."""

    SCRIPT = "adit_wg"

    def test_starts_and_stops_with_adit_and_leaves_nothing(self):
        adit = self.prefix / "bin/adit"
        conf = self.vps.write("wg0.conf", f"[Interface]\nPrivateKey = {lab.Keys().private}\nListenPort = 51820\n")
        quick = self.vps.write("quick", QUICK.format(conf=conf), 0o755)
        self.script.write_text(STOCK.format(subr=rc_d_lab.DOUBLES / "rc.subr", quick=quick))
        self.write_rc_conf(wireguard_enable="YES", wireguard_interfaces="wg0",
                           wireguard_env=f"WG_QUICK_USERSPACE_IMPLEMENTATION={adit}")
        for _ in range(10):
            self.succeed("start")
            self.assertEqual(self.vps.run("wg", "show", "wg0", "listen-port", check=True).stdout, "51820\n")
            self.succeed("stop")
            self.assertFalse(self.vps.has_interface("wg0"))
            lab.wait_until(lambda: not rc_d_lab.processes(), "adit ends with its interface", 2)
            self.expect_nothing_left()


if __name__ == "__main__":
    unittest.main()
