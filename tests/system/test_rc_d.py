"""rc.d/adit: several gateways as a service of FreeBSD's, with the real adit, and doubles of FreeBSD's programs."""

import os
import pathlib
import pwd
import re
import signal
import socket
import threading
import unittest

import lab
import rc_d_lab


class Gateways(rc_d_lab.RcDTest):
    SCRIPT = "adit"

    def setUp(self):
        super().setUp()
        self.keys, self.peer_keys = lab.Keys(), lab.Keys()
        self.write_rc_conf(adit_enable="YES", adit_profiles="vps home-2")
        self.configure("vps", "wg0", 342)
        self.configure("home-2", "wg1", 343)

    def configure(self, profile, interface, port, **changes):
        settings = {"name": interface, "private_key": self.keys.private, "listen_port": port}
        peer = {"public_key": self.peer_keys.public, "allowed_ips": [f"10.1.{port % 10}.2/32"]}
        text = lab.toml(("[interface]", settings | changes), ("[[peer]]", peer))
        path = self.prefix / f"etc/adit/{profile}.toml"
        path.write_text(text)
        path.chmod(0o600)
        return path

    def pid(self, profile):
        return int(pathlib.Path(f"/var/run/adit/{profile}.pid").read_text())

    def port(self, interface):
        return int(self.vps.run("wg", "show", interface, "listen-port", check=True).stdout)

    def break_file(self, profile):
        with open(self.prefix / f"etc/adit/{profile}.toml", "a") as file:
            file.write("nonsense = 1\n")


class Start(Gateways):
    def test_of_two_has_both_answer_and_stop_leaves_nothing(self):
        started = self.succeed("start")
        self.assertIn("vps runs, interface wg0", started.stdout)
        self.assertEqual((self.port("wg0"), self.port("wg1")), (342, 343))
        status = self.succeed("status").stdout
        self.assertEqual(status, f"adit: vps runs as pid {self.pid('vps')}, interface wg0\n"
                                 f"adit: home-2 runs as pid {self.pid('home-2')}, interface wg1\n")
        self.succeed("stop")
        self.expect_nothing_left()
        self.fail_with("vps does not run\nadit: home-2 does not run", "status")

    def test_with_a_user_has_gateways_become_that_user(self):
        nobody = pwd.getpwnam("nobody")
        if pathlib.Path("/proc/self/uid_map").read_text().split()[2] == "1":
            self.skipTest("there is only one user in this namespace")
        os.chown(self.prefix / "etc/adit/vps.toml", nobody.pw_uid, nobody.pw_gid)
        # Who looks for leaks may not trace a process that has changed its user.
        self.write_rc_conf(adit_enable="YES", adit_profiles="vps", adit_user="nobody",
                           adit_env="ASAN_OPTIONS=detect_leaks=0")
        self.succeed("start")
        self.assertIn(f"\nUid:\t{nobody.pw_uid}\t", pathlib.Path(f"/proc/{self.pid('vps')}/status").read_text())
        self.succeed("reload")
        self.succeed("restart")
        self.succeed("stop")
        self.expect_nothing_left()

    def test_ten_times_leaves_nothing(self):
        for _ in range(10):
            self.succeed("start")
            self.succeed("stop")
            self.expect_nothing_left()

    def test_of_one_leaves_the_other_alone(self):
        self.succeed("start", "home-2")
        self.assertFalse(self.vps.has_interface("wg0"))
        self.fail_with("vps does not run\nadit: home-2 runs", "status")
        self.succeed("start", "vps")
        self.succeed("stop", "home-2")
        self.succeed("status", "vps")
        self.succeed("stop", "vps")
        self.expect_nothing_left()

    def test_with_a_wrong_file_names_the_place_and_starts_the_others(self):
        self.break_file("vps")
        result = self.fail_with(r"/vps\.toml:8:1: .*nonsense", "start")
        self.assertIn("home-2 runs", result.stdout)
        self.assertFalse(self.vps.has_interface("wg0"))
        self.succeed("status", "home-2")

    def test_without_a_file_names_it(self):
        (self.prefix / "etc/adit/vps.toml").unlink()
        self.fail_with(r"etc/adit/vps\.toml is not readable", "start", "vps")
        self.expect_nothing_left()

    def test_that_adit_refuses_shows_what_it_said(self):
        with self.vps.socket(socket.AF_INET) as other:
            other.bind(("0.0.0.0", 342))
            self.fail_with(r"adit: .*0\.0\.0\.0:342.*in use", "start", "vps")
        lab.wait_until(lambda: not rc_d_lab.processes(), "daemon has ended, too")
        self.expect_nothing_left()

    def test_of_a_program_that_ends_without_a_word_is_not_waited_for(self):
        program = self.prefix / "bin/adit"
        program.unlink()
        program.write_text(f'#!/bin/sh\n[ "$1" = run ] && exit 1\nexec {lab.ADIT} "$@"\n')
        program.chmod(0o755)
        self.write_rc_conf(adit_enable="YES", adit_profiles="vps", adit_start_timeout=600)
        self.fail_with("vps: does not answer", "start")
        lab.wait_until(lambda: not rc_d_lab.processes(), "daemon has ended, too")
        self.expect_nothing_left()

    def test_a_second_time_is_refused_and_the_first_goes_on(self):
        self.succeed("start", "vps")
        pid = self.pid("vps")
        self.fail_with("already running", "start", "vps")
        self.assertEqual(self.pid("vps"), pid)
        self.succeed("status", "vps")

    def test_of_an_interface_that_is_another_gateways_is_refused(self):
        self.succeed("start", "vps")
        self.configure("home-2", "wg0", 343)
        self.fail_with("home-2: wg0 is another gateway's already", "start", "home-2")
        self.succeed("status", "vps")
        self.succeed("stop", "vps")
        self.expect_nothing_left()

    def test_is_refused_unless_it_is_enabled(self):
        self.write_rc_conf(adit_enable="NO")
        result = self.succeed("start", "vps")
        self.assertIn("Set adit_enable to YES", result.stdout)
        self.expect_nothing_left()
        self.succeed("onestart", "vps")
        self.succeed("onestop", "vps")
        self.expect_nothing_left()

    def test_after_a_kill_works_again(self):
        self.succeed("start", "vps")
        os.kill(self.pid("vps"), signal.SIGKILL)
        lab.wait_until(lambda: not rc_d_lab.processes(), "daemon ends with adit")
        self.fail_with("vps does not run", "status", "vps")
        self.succeed("start", "vps")
        self.succeed("stop", "vps")
        self.expect_nothing_left()

    def test_takes_away_an_interface_that_outlived_a_killed_gateway(self):
        self.succeed("start", "vps")
        os.kill(self.pid("vps"), signal.SIGKILL)
        lab.wait_until(lambda: not self.vps.has_interface("wg0"), "the interface goes, on Linux")
        self.vps.ip("tuntap", "add", "wg0", "mode", "tun")
        self.succeed("start", "vps")

    def test_leaves_an_interface_alone_that_is_not_its_own(self):
        self.vps.ip("tuntap", "add", "wg0", "mode", "tun")
        self.fail_with("adit: .*wg0.*exists already", "start", "vps")
        self.assertTrue(self.vps.has_interface("wg0"))

    def test_with_a_pid_file_that_names_nobody_or_somebody_else_works(self):
        stranger = self.keep(lab.Process(["sleep", "600"], self.directory / "sleep.log"))
        for pid in (4_000_000, stranger.pid):
            with self.subTest(pid=pid):
                pathlib.Path("/var/run/adit").mkdir(exist_ok=True)
                pathlib.Path("/var/run/adit/vps.pid").write_text(str(pid))
                self.fail_with("vps does not run", "status", "vps")
                self.fail_with("vps does not run", "stop", "vps")
                self.succeed("start", "vps")
                self.succeed("stop", "vps")
        self.assertTrue(stranger.runs())

    def test_takes_the_environment_and_the_log_level_of_rc_conf(self):
        run = self.vps.directory / "elsewhere"
        self.write_rc_conf(adit_enable="YES", adit_profiles="vps", adit_env=f"ADIT_RUN_DIR={run}",
                           adit_log_level="error")
        self.succeed("start")
        self.assertTrue((run / "wg0.sock").exists())
        self.succeed("reload")
        self.succeed("stop")
        self.assertNotIn("ready", self.syslog.read_text())
        self.expect_nothing_left()

    def test_leaves_the_log_to_syslog_once_the_gateway_answers(self):
        self.succeed("start", "vps")
        self.assertEqual(os.readlink("/var/run/adit/vps.log"), "/dev/null")
        self.succeed("reload", "vps")
        self.succeed("stop", "vps")
        log = self.syslog.read_text()
        for words in ("wg0 ready", "reloaded", "wg0 stopped"):
            self.assertRegex(log, f"adit: .*{words}")


class Stop(Gateways):
    def setUp(self):
        super().setUp()
        self.write_rc_conf(adit_enable="YES", adit_profiles="vps", adit_stop_timeout=3)
        self.succeed("start")

    def test_waits_for_a_gateway_that_takes_its_time(self):
        pid = self.pid("vps")
        os.kill(pid, signal.SIGSTOP)
        timer = threading.Timer(1, os.kill, (pid, signal.SIGCONT))
        timer.start()
        result = self.succeed("stop")
        timer.join()
        self.assertNotIn("killed", result.stderr)
        self.assertIn("wg0 stopped", self.syslog.read_text())
        self.expect_nothing_left()

    def test_kills_a_gateway_that_does_not_end(self):
        os.kill(self.pid("vps"), signal.SIGSTOP)
        result = self.succeed("stop")
        self.assertIn("did not end within 3 s", result.stderr)
        self.expect_nothing_left()

    def test_ends_a_gateway_whose_daemon_was_killed(self):
        daemon = int(pathlib.Path("/var/run/adit/vps.daemon.pid").read_text())
        os.kill(daemon, signal.SIGKILL)
        self.succeed("status")
        self.succeed("stop")
        self.expect_nothing_left()

    def test_of_nothing_fails_but_at_shutdown(self):
        self.succeed("stop")
        self.fail_with("vps does not run", "stop")
        self.assertEqual(self.succeed("faststop").stderr, "")


class ChangeAtRunTime(Gateways):
    def setUp(self):
        super().setUp()
        self.succeed("start", "vps")
        self.before = self.pid("vps")

    def test_by_reload_keeps_the_process(self):
        self.configure("vps", "wg0", 1342)
        self.succeed("reload", "vps")
        self.assertEqual(self.port("wg0"), 1342)
        self.assertEqual(self.pid("vps"), self.before)

    def test_by_restart_has_another_process(self):
        self.configure("vps", "wg0", 1342)
        self.succeed("restart", "vps")
        self.assertEqual(self.port("wg0"), 1342)
        self.assertNotEqual(self.pid("vps"), self.before)

    def test_of_the_interfaces_name_is_done_by_restart(self):
        self.configure("vps", "wg7", 342)
        self.fail_with("restart", "reload", "vps")
        self.succeed("status", "vps")
        self.succeed("restart", "vps")
        self.assertFalse(self.vps.has_interface("wg0"))
        self.assertTrue(self.vps.has_interface("wg7"))

    def test_to_a_wrong_file_stops_nothing(self):
        self.break_file("vps")
        for command in ("reload", "restart"):
            with self.subTest(command=command):
                result = self.fail_with(r"/vps\.toml:8:1: .*nonsense", command, "vps")
                self.assertIn("the running gateway goes on", result.stderr)
                self.assertEqual(self.pid("vps"), self.before)
                self.succeed("status", "vps")

    def test_of_what_does_not_run_is_refused(self):
        self.fail_with("home-2 does not run", "reload", "home-2")
        self.assertFalse(self.vps.has_interface("wg1"))

    def test_can_be_tried_without_doing_it(self):
        self.assertIn("ok (interface wg0", self.succeed("configtest", "vps").stdout)
        self.break_file("vps")
        self.assertEqual(self.service("configtest", "vps").returncode, 1)
        self.succeed("status", "vps")


class Names(Gateways):
    def test_that_are_odd_are_refused(self):
        for name in ("../vps", "a b", "-x", "vps;id", "$(id)", "vps.pid", "", "*", "ä"):
            for command in ("start", "stop", "status", "reload"):
                with self.subTest(name=name, command=command):
                    result = self.service(command, name)
                    self.assertEqual(result.returncode, 1, result.stderr)
                    self.assertIn(f"'{name}' cannot be a profile", result.stderr)
                    self.assertEqual(result.stdout, "")
        self.expect_nothing_left()

    def test_are_one_by_default(self):
        self.write_rc_conf(adit_enable="YES")
        self.configure("adit", "wg0", 342)
        self.assertIn("adit: adit runs, interface wg0", self.succeed("start").stdout)

    def test_of_commands_are_offered(self):
        self.assertEqual(self.succeed("extracommands").stdout, "reload configtest\n")
        self.assertEqual(self.service("frobnicate").returncode, 1)


class Headers(unittest.TestCase):
    """rcorder(8) ends reading at the first line that is not one of its own."""

    def test_are_in_one_piece_and_run_in_jails_with_a_network_only(self):
        for path in (lab.ROOT / "rc.d").glob("*.in"):
            with self.subTest(script=path.name):
                lines = path.read_text().splitlines()
                first = next(at for at, line in enumerate(lines) if line.startswith("# PROVIDE: "))
                header = [re.match(r"# ([A-Z]+): (.*)", line) for line in lines[first : first + 4]]
                words = {match[1]: match[2].split() for match in header}
                self.assertEqual(words["PROVIDE"], [path.stem])
                self.assertEqual(words["KEYWORD"], ["nojailvnet", "shutdown"])
                self.assertEqual(list(words), ["PROVIDE", "REQUIRE", "BEFORE", "KEYWORD"])
                self.assertNotRegex("\n".join(lines[first + 4 :]), r"(?m)^# (PROVIDE|REQUIRE|BEFORE|KEYWORD):")


if __name__ == "__main__":
    unittest.main()
