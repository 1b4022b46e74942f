"""What a running gateway may still do, and that it is enough: as root, as a user of its own, and as systemd starts it."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import unittest

import factorio
import lab

NOBODY = pwd.getpwnam("nobody")
NET_BIND_SERVICE, NET_ADMIN = 1 << 10, 1 << 12
KEPT = f"{NET_ADMIN | NET_BIND_SERVICE:016x}"
NONE = f"{0:016x}"
AMBIENT = ("setpriv", "--reuid", NOBODY.pw_uid, "--regid", NOBODY.pw_gid, "--clear-groups",
           "--inh-caps", "+net_admin,+net_bind_service", "--ambient-caps", "+net_admin,+net_bind_service")
# The program that looks for leaks may not trace a process that has changed its user.
NO_LEAK_CHECK = {"ASAN_OPTIONS": "detect_leaks=0"}


def can_become_others():
    """In a user namespace that has but one user there is nobody to become."""
    ranges = [line.split() for line in pathlib.Path("/proc/self/uid_map").read_text().splitlines()]
    return any(int(first) <= NOBODY.pw_uid < int(first) + int(count) for first, _, count in ranges)


def statuses(pid):
    """What /proc says of each thread."""
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        lines = (thread / "status").read_text().splitlines()
        yield dict(line.split(":\t", 1) for line in lines if ":\t" in line)


class PrivilegesTest(factorio.FactorioTest):
    def expect(self, gateway, **wanted):
        threads = list(statuses(gateway.pid))
        self.assertTrue(threads)
        for thread in threads:
            self.assertEqual({name: thread[name] for name in wanted}, wanted)

    def expect_bounded(self, gateway, uid, **more):
        self.expect(gateway, Seccomp="2", NoNewPrivs="1", CapEff=KEPT, CapPrm=KEPT, CapInh=NONE, CapAmb=NONE,
                    Uid="\t".join([str(uid)] * 4), **more)

    def expect_it_works(self):
        """Home calls, and a player is answered."""
        self.gateway.wait_for_handshake()
        player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        lab.wait_until(player.is_answered, "an answer")

    def expect_reload_of_everything(self):
        """What takes privileges: addresses, routes, a mark, and low ports for the tunnel and for players."""
        config = self.gateway_config({
            "addresses": ["10.1.2.5/24", "fd00:1:2::5/64", "10.9.9.9/32"], "fwmark": 7, "listen_port": 343, "mtu": 1400,
        }, {
            "allowed_ips": ["10.1.2.2/32", "fd00:1:2::2/128", "10.77.0.0/16"],
        }) + lab.toml(
            ("[[forward]]", {"name": "dns", "protocol": "udp", "listen": ["0.0.0.0:53"], "to": "10.1.2.2:34197"}),
            ("[[forward]]", {"name": "web", "protocol": "tcp", "listen": ["0.0.0.0:80"], "to": "10.1.2.2:80"}),
        )
        self.gateway.config.write_text(config)
        result = self.vps.run(lab.ADIT, "reload", "wg0")
        self.assertEqual((result.stdout, result.stderr), ("wg0 reloaded\n", ""))
        self.assertIn("10.9.9.9", self.vps.ip("addr", "show", "wg0"))
        self.assertIn("mtu 1400", self.vps.ip("link", "show", "wg0"))
        self.assertIn("10.77.0.0/16", self.vps.ip("route", "show", "dev", "wg0"))
        player = self.player(self.players, self.PUBLIC[0], 53)
        self.home.run("wg", "set", "wg0", "peer", self.vps_keys.public, "endpoint", "198.51.100.1:343", check=True)
        lab.wait_until(player.is_answered, "an answer by the new forward")


class Root(PrivilegesTest):
    def test_keeps_two_capabilities_and_few_system_calls_and_reloads(self):
        self.start_everything()
        self.expect_it_works()
        self.expect_bounded(self.gateway, 0, CapBnd=KEPT)
        self.expect_reload_of_everything()
        self.expect_bounded(self.gateway, 0, CapBnd=KEPT)  # the threads that were started since, too

    def test_keeps_the_same_in_place_of_wireguard_go(self):
        device = self.keep(lab.Process(self.vps.command(lab.ADIT, "-f", "wg0"), self.directory / "log",
                                       self.vps.environment() | {"LOG_LEVEL": "debug"}, expect_exit=0))
        device.wait_for_log(" ready")
        self.expect_bounded(device, 0, CapBnd=KEPT)

    def test_keeps_everything_when_told_so(self):
        self.start_gateway(environment={"ADIT_SANDBOX": "off"})
        before = next(statuses("self"))
        self.expect(self.gateway, Seccomp=before["Seccomp"], CapEff=before["CapEff"], NoNewPrivs=before["NoNewPrivs"])

    def test_that_asks_for_something_else_is_told_what_there_is(self):
        result = lab.run(lab.ADIT, "run", "-c", "/nowhere", environment={"ADIT_SANDBOX": "never"})
        self.assertEqual((result.returncode, result.stderr), (lab.EXIT_FAILED, "adit: ADIT_SANDBOX: on, off or strict, not 'never'\n"))

    def test_without_the_default_words_ends_by_nothing_it_does_itself(self):
        """The filter as it is installed: what is not listed is refused, and nothing needs it."""
        self.start_gateway(environment={"ADIT_SANDBOX": "on"})
        self.start_home()
        self.start_service()
        self.expect_it_works()
        self.expect_bounded(self.gateway, 0)


class OtherUser(PrivilegesTest):
    def setUp(self):
        if not can_become_others():
            self.skipTest("this user namespace has no other users")
        super().setUp()
        self.run_directory = self.vps.directory / "run"

    def chown(self, *paths):
        for path in paths:
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)

    def config_with_key_file(self):
        private = f'private_key = "{self.vps_keys.private}"'
        config = self.gateway_config()
        self.assertIn(private, config)
        return config.replace(private, 'private_key_file = "wg0.key"')


class RootForAnother(OtherUser):
    def gateway_of_nobody(self, **changes):
        """Its configuration, which holds the key, is nobody's."""
        path = self.vps.write("adit.toml", "")
        self.chown(path)
        return self.start_gateway(options=("--user", "nobody"), environment=NO_LEAK_CHECK, **changes)

    def test_becomes_that_user_and_reloads_and_cleans_up(self):
        gateway = self.gateway_of_nobody()
        self.start_home()
        self.start_service()
        self.expect_it_works()
        self.expect_bounded(gateway, NOBODY.pw_uid, CapBnd=KEPT, Gid="\t".join([str(NOBODY.pw_gid)] * 4))
        self.assertEqual(gateway.control_socket().stat().st_uid, NOBODY.pw_uid)
        self.expect_reload_of_everything()
        gateway.stop()
        self.assertEqual([path.name for path in self.run_directory.iterdir()], ["wg0.state"])
        self.assertEqual(gateway.state_file().stat().st_uid, NOBODY.pw_uid)
        again = self.gateway_of_nobody()
        again.wait_for_log("of before go on")

    def test_lets_that_user_touch_nothing_of_others_in_the_folder_of_sockets(self):
        self.gateway_of_nobody()
        status = self.run_directory.stat()
        self.assertEqual((status.st_uid, status.st_gid), (0, NOBODY.pw_gid))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o1775)
        others = self.run_directory / "wg1.sock"
        others.touch()
        remove = lab.run("setpriv", "--reuid", str(NOBODY.pw_uid), "--regid", str(NOBODY.pw_gid), "--clear-groups", "rm",
                         "-f", str(others))
        self.assertNotEqual(remove.returncode, 0)

    def test_forgets_flows_that_another_user_has_left(self):
        self.start_everything()
        self.expect_it_works()
        self.gateway.stop()
        self.assertTrue(self.gateway.state_file().read_text())
        gateway = self.gateway_of_nobody()
        gateway.wait_for_log("flows of before are forgotten")

    def test_refuses_files_that_the_user_could_not_read_again(self):
        config = self.config_with_key_file()
        key = self.vps.write("wg0.key", self.vps_keys.private)
        path = self.vps.write("adit.toml", config, 0o644)
        run = ("run", "-c", path, "--user", "nobody")
        result = self.vps.run(lab.ADIT, *run)
        self.assertEqual(result.returncode, lab.EXIT_CONFIG)
        self.assertRegex(result.stderr, r"adit.toml:\d+:\d+: .*wg0.key.*Permission denied \(.*chown")
        self.assertFalse(self.vps.has_interface("wg0"))
        self.chown(key)
        path.chmod(0o600)
        result = self.vps.run(lab.ADIT, *run)
        self.assertEqual(result.returncode, lab.EXIT_CONFIG)
        self.assertRegex(result.stderr, "adit.toml: Permission denied")

    def test_must_be_root_and_the_user_must_exist(self):
        path = self.vps.write("adit.toml", self.gateway_config())
        result = self.vps.run(lab.ADIT, "run", "-c", path, "--user", "no-such-user")
        self.assertEqual(result.stderr, "adit: --user no-such-user: there is no such user\n")
        program = self.directory / "adit"
        shutil.copy(lab.ADIT, program)
        result = self.vps.run("setpriv", "--reuid", str(NOBODY.pw_uid), "--clear-groups", program, "run", "--user", "daemon")
        self.assertRegex(result.stderr, "only root can become another user")


class Systemd(OtherUser):
    """Started as its own user with ambient capabilities, and told by datagrams how it is."""

    def setUp(self):
        super().setUp()
        if pathlib.Path("/dev/net/tun").stat().st_mode & 0o006 != 0o006:  # as udev makes it
            lab.run("mount", "-t", "tmpfs", "tmpfs", "/dev/net", check=True)
            self.addCleanup(lab.run, "umount", "/dev/net", check=True)
            lab.run("mknod", "-m", "666", "/dev/net/tun", "c", "10", "200", check=True)

    def start_unit(self, environment=None):
        program = self.directory / "adit"  # whose folder everybody may enter
        shutil.copy(lab.ADIT, program)
        path = self.vps.write("adit.toml", "")
        self.chown(path)
        self.run_directory.mkdir(exist_ok=True)
        self.chown(self.run_directory)
        return self.start_gateway(program, AMBIENT, environment=environment)

    def test_as_a_user_with_two_capabilities_everything_works(self):
        gateway = self.start_unit()
        self.start_home()
        self.start_service()
        self.expect_it_works()
        self.expect_bounded(gateway, NOBODY.pw_uid)
        self.expect_reload_of_everything()
        gateway.stop()
        self.assertEqual([path.name for path in self.run_directory.iterdir()], ["wg0.state"])

    def test_where_wg_looks_is_where_its_socket_is_if_it_may_be(self):
        common = pathlib.Path("/run/wireguard")
        common.mkdir(exist_ok=True)
        common.chmod(0o1775)
        os.chown(common, 0, NOBODY.pw_gid)
        program = self.directory / "adit"
        shutil.copy(lab.ADIT, program)
        path = self.vps.write("adit.toml", self.gateway_config())
        self.chown(path)
        words = self.vps.command(*AMBIENT, program, "run", "-c", path)
        gateway = self.keep(lab.Process(words, self.vps.directory / "adit.log", expect_exit=0))
        gateway.wait_for_log(" ready: ")
        for question in ((lab.ADIT, "show"), ("wg", "show")):  # by root
            self.assertIn("interface: wg0", lab.run(*self.vps.command(*question)).stdout)
        gateway.stop()
        self.assertEqual(list(common.iterdir()), [])


class Manager(PrivilegesTest):
    def hear(self, manager):
        manager.settimeout(lab.GENEROUS)
        return dict(line.split("=", 1) for line in manager.recv(4096).decode().splitlines())

    def test_is_told_when_it_is_ready_reloads_and_stops(self):
        with self.vps.socket(socket.AF_UNIX) as manager:  # abstract names are a network namespace's
            manager.bind("\0adit-test-notify")
            gateway = self.start_gateway(environment={"NOTIFY_SOCKET": "@adit-test-notify"})
            self.assertEqual(self.hear(manager), {"READY": "1", "STATUS": "wg0: udp port 342, 1 peer, 2 forwards"})
            gateway.popen.send_signal(signal.SIGHUP)
            begins = self.hear(manager)
            self.assertEqual(begins["RELOADING"], "1")
            self.assertGreater(int(begins["MONOTONIC_USEC"]), 0)
            self.assertEqual(self.hear(manager)["READY"], "1")
            gateway.config.write_text("[interface\n")
            self.assertEqual(self.vps.run(lab.ADIT, "reload").returncode, lab.EXIT_CONFIG)
            self.assertEqual(self.hear(manager)["RELOADING"], "1")
            self.assertEqual(self.hear(manager)["STATUS"],
                             "wg0: udp port 342, 1 peer, 2 forwards; nothing of the last reload")
            gateway.stop()
            self.assertEqual(self.hear(manager)["STOPPING"], "1")


if __name__ == "__main__":
    unittest.main()
