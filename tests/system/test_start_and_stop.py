"""Starting, failing to start, and ending: what an administrator reads, and what is left behind (nothing)."""

import contextlib
import os
import signal
import socket
import subprocess
import unittest

import factorio
import lab


class StartTest(factorio.FactorioTest):
    def run_gateway(self, config, *wrapper):
        """`adit run` that is expected to fail at once."""
        path = self.vps.write("adit.toml", config)
        return self.vps.run(*wrapper, lab.ADIT, "run", "-c", path)

    def expect_failure(self, result, pattern, status=lab.EXIT_FAILED):
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertRegex(result.stderr, pattern)
        self.assertEqual(result.stdout, "")
        self.expect_nothing_left()

    def expect_nothing_left(self):
        self.assertFalse(self.vps.has_interface("wg0"))
        run_directory = self.vps.directory / "run"
        left = [path.name for path in run_directory.iterdir()] if run_directory.exists() else []
        self.assertIn(left, ([], ["wg0.state"]))  # flows, for the next one to go on with


class Configurations(StartTest):
    def expect_mistakes(self, text, *places_and_words):
        """Both `check` and `run` must name each "line:column" with these words, in order, and nothing else."""
        path = self.vps.write("adit.toml", text)
        for command in ("check", "run"):
            with self.subTest(command=command):
                result = self.vps.run(lab.ADIT, command, "-c", path)
                self.assertEqual(result.returncode, lab.EXIT_CONFIG, result.stderr)
                self.assertEqual(result.stdout, "")
                lines = result.stderr.splitlines()
                self.assertEqual(len(lines), len(places_and_words), result.stderr)
                for line, (place, words) in zip(lines, places_and_words):
                    self.assertTrue(line.startswith(f"{path}:{place}: "), line)
                    self.assertIn(words, line)
        self.expect_nothing_left()

    def test_with_many_mistakes_have_all_of_them_named_at_once(self):
        self.expect_mistakes(
            "\n".join([
                "[interface]",
                'name = "a-name-of-16-byte"',
                'private_key = "not a key"',
                "listen_prot = 342",
                'addresses = ["10.1.2.5/33"]',
                "[[peer]]",
                'public_key = "%s"' % self.home_keys.public,
                'allowed_ips = ["10.1.2.2/32"]',
                "persistent_keepalive = -1",
                "[[forward]]",
                'listen = ["0.0.0.0:70000"]',
                'to = "10.1.2.256"',
            ]),
            ("2:8", "1 to 15 letters"),
            ("3:15", "44 characters of base64"),
            ("4:1", 'did you mean "listen_port"?'),
            ("5:14", '"10.1.2.5/33"'),
            ("9:24", "0 to 65535"),
            ("11:11", '"0.0.0.0:70000"'),
            ("12:6", '"10.1.2.256"'),
        )

    def test_that_are_not_toml(self):
        self.expect_mistakes("[interface]\nname = wg0\n", ("2:8", "not TOML"))
        self.expect_mistakes("[interface\n", ("1:11", "not TOML"))

    def test_that_are_empty(self):
        result = self.run_gateway("")
        self.expect_failure(result, r"adit\.toml:.*\[interface\]", lab.EXIT_CONFIG)

    def test_with_a_name_of_more_than_15_bytes(self):
        self.expect_mistakes(self.gateway_config({"name": "x" * 16}), ("2:8", "1 to 15"))
        self.keep(lab.Process(self.vps.command(
            lab.ADIT, "run", "-c", self.vps.write("adit.toml", self.gateway_config({"name": "x" * 15}))
        ), self.directory / "log", self.vps.environment(), expect_exit=0)).wait_for_log("ready")

    def test_that_are_missing_say_where_they_were_looked_for(self):
        for command in ("run", "check"):
            result = self.vps.run(lab.ADIT, command, "-c", "/nowhere/adit.toml")
            self.assertEqual(result.returncode, lab.EXIT_CONFIG)
            self.assertRegex(result.stderr, r"/nowhere/adit\.toml.*No such file")

    def test_that_are_a_directory(self):
        result = self.vps.run(lab.ADIT, "run", "-c", self.vps.directory)
        self.assertIn(result.returncode, (lab.EXIT_FAILED, lab.EXIT_CONFIG))
        self.assertRegex(result.stderr, r"[Ii]s a directory")

    def test_with_keys_that_others_can_read(self):
        with_key_file = self.gateway_config().replace("private_key = ", "# ").replace(
            "listen_port", 'private_key_file = "wg0.key"\nlisten_port', 1
        )
        for mode, refused in ((0o600, False), (0o400, False), (0o640, True), (0o644, True), (0o604, True)):
            with self.subTest(mode=oct(mode)):
                self.vps.write("wg0.key", self.vps_keys.private + "\n", mode)
                path = self.vps.write("adit.toml", with_key_file, 0o644)
                result = self.vps.run(lab.ADIT, "check", "-c", path)
                self.assertEqual(result.returncode, lab.EXIT_CONFIG if refused else 0, result.stderr)
                if refused:
                    self.assertRegex(result.stderr, r"adit\.toml:\d+:\d+: .*wg0\.key.*chmod 600")

    def test_that_hold_a_key_and_that_others_can_read(self):
        path = self.vps.write("adit.toml", self.gateway_config(), 0o644)
        result = self.vps.run(lab.ADIT, "run", "-c", path)
        self.expect_failure(result, r"adit\.toml:\d+:\d+: .*chmod 600", lab.EXIT_CONFIG)
        self.assertNotIn(self.vps_keys.private, result.stderr)


class Resources(StartTest):
    @contextlib.contextmanager
    def held(self, address, port):
        """Somebody else has this port meanwhile."""
        with self.vps.socket(lab.family_of(address)) as holder:
            if ":" in address:
                holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            holder.bind((address, port))
            yield

    def test_that_are_in_use_are_named(self):
        for address, port in (("0.0.0.0", 342), ("::", 342), ("203.0.113.1", 342), ("0.0.0.0", 34197), ("::", 34197)):
            with self.subTest(address=address, port=port), self.held(address, port):
                result = self.run_gateway(self.gateway_config())
                wildcard = r"\[::\]" if ":" in address else r"0\.0\.0\.0"
                self.expect_failure(result, rf"adit: .*{wildcard}:{port}.*in use")

    def test_that_are_not_on_this_machine_are_named(self):
        result = self.run_gateway(self.gateway_config().replace("0.0.0.0:34197", "192.0.2.1:34197"))
        self.expect_failure(result, r"adit: .*192\.0\.2\.1:34197.*not on this machine")

    def test_that_need_privileges_say_so(self):
        without = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
        result = self.run_gateway(self.gateway_config(), *without)
        self.expect_failure(result, r"adit: .*:342.*ports below 1024 need root or CAP_NET_BIND_SERVICE")
        result = self.run_gateway(self.gateway_config({"listen_port": 3420}), *without)
        self.expect_failure(result, r"adit: .*tun wg0.*it needs root or CAP_NET_ADMIN; tun = false works without")

    def test_like_an_interface_of_that_name(self):
        self.vps.ip("tuntap", "add", "wg0", "mode", "tun")
        path = self.vps.write("adit.toml", self.gateway_config())
        result = self.vps.run(lab.ADIT, "run", "-c", path)
        self.assertEqual(result.returncode, lab.EXIT_FAILED)
        self.assertRegex(result.stderr, r"adit: .*wg0.*exists already")
        self.assertTrue(self.vps.has_interface("wg0"), "it was somebody else's")

    def test_like_the_same_gateway_that_runs_already(self):
        gateway = self.start_gateway()
        for changes in ({}, {"tun": False}):
            second = self.vps.run(lab.ADIT, "run", "-c", self.vps.write("second.toml", self.gateway_config(changes)))
            self.assertEqual(second.returncode, lab.EXIT_FAILED)
            self.assertRegex(second.stderr, r"adit: .*in use")
        self.assertTrue(gateway.control_socket().exists(), "the first one's control socket stays")
        self.assertEqual(gateway.show()["interface"]["name"], "wg0")
        self.start_home()
        gateway.wait_for_handshake()

    def test_like_a_control_socket_of_a_gateway_with_other_ports(self):
        gateway = self.start_gateway()
        other = self.gateway_config({"listen_port": 343, "tun": False})
        other = other.replace("34197", "5000").replace("34198", "5001")
        result = self.vps.run(lab.ADIT, "run", "-c", self.vps.write("second.toml", other))
        self.assertEqual(result.returncode, lab.EXIT_FAILED)
        self.assertRegex(result.stderr, r"adit: start wg0: .*in use.*runs already")
        self.assertTrue(gateway.control_socket().exists())
        gateway.show()


class Ending(StartTest):
    def test_on_a_signal_is_clean(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                gateway = self.start_gateway()
                self.assertTrue(self.vps.has_interface("wg0"))
                self.assertTrue(gateway.control_socket().exists())
                self.assertEqual(gateway.stop(number), 0)
                self.assertIn("wg0 stopped", gateway.log())
                self.expect_nothing_left()

    def test_in_the_middle_of_traffic_is_clean(self):
        gateway = self.start_everything()
        players = [self.player(self.players, address, self.SERVICE[1]) for address in self.PUBLIC * 4]
        for player in players:
            player.ask(b"hello")
        for turn in range(200):
            for player in players:
                player.send(bytes(turn))
        self.assertEqual(gateway.stop(), 0)
        self.expect_nothing_left()

    def test_while_waiting_for_home_is_clean(self):
        gateway = self.start_gateway(peer={"endpoint": "198.51.100.9:342", "persistent_keepalive": 1})
        self.player(self.players, self.PUBLIC[0], self.SERVICE[1]).send(b"anybody?")
        lab.wait_until(lambda: gateway.forward("factorio")["packets_in"], "a datagram that waits")
        self.assertEqual(gateway.stop(), 0)
        self.expect_nothing_left()

    def test_while_a_name_is_looked_up_is_clean(self):
        gateway = self.start_gateway(peer={"endpoint": "nobody.example:342"})
        self.assertEqual(gateway.stop(), 0)
        self.expect_nothing_left()

    def test_with_clients_on_the_control_socket_is_clean(self):
        gateway = self.start_gateway()
        with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as half:
            silent.connect(str(gateway.control_socket()))
            half.connect(str(gateway.control_socket()))
            half.send(b"show=1\n")
            gateway.show()
            self.assertEqual(gateway.stop(), 0)
            silent.settimeout(lab.GENEROUS)
            self.assertEqual(silent.recv(1), b"")
        self.expect_nothing_left()

    def test_of_whoever_reads_the_log_is_not_the_gateways_end(self):
        config = self.vps.write("adit.toml", self.gateway_config())
        words = self.vps.command(lab.ADIT, "run", "-c", config, "--log-level", "debug")
        environment = os.environ | lab.SANITIZERS | self.vps.environment()
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as gateway:
            self.assertIn("ready", gateway.stderr.readline())
            gateway.stderr.close()
            self.start_home()  # whose handshake is worth a line in the log
            self.start_service()
            player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
            lab.wait_until(player.is_answered, "an answer from a gateway whose log nobody reads")
            gateway.terminate()
            self.assertEqual(gateway.wait(lab.GENEROUS), 0)
        self.expect_nothing_left()

    def test_comes_with_the_interface_and_is_a_failure(self):
        gateway = self.start_everything()
        self.vps.ip("link", "del", "wg0")
        self.assertEqual(gateway.wait(), lab.EXIT_FAILED)
        self.assertIn("wg0 is gone", gateway.log())
        self.expect_nothing_left()

    def test_by_kill_leaves_nothing_that_keeps_the_next_one_from_starting(self):
        gateway = self.start_gateway()
        gateway.kill()
        lab.wait_until(lambda: not self.vps.has_interface("wg0"), "the interface is gone")
        self.assertTrue(gateway.control_socket().exists(), "what a killed program cannot remove")
        result = self.vps.run(lab.ADIT, "show")
        self.assertEqual(result.returncode, lab.EXIT_FAILED)
        self.start_gateway().show()


class ControlSocket(StartTest):
    def ask(self, gateway, request):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(lab.GENEROUS)
            client.connect(str(gateway.control_socket()))
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := client.recv(65536):
                answer += piece
            return answer

    def test_is_for_its_owner_only(self):
        gateway = self.start_gateway()
        self.assertEqual(gateway.control_socket().stat().st_mode & 0o077, 0)

    def test_survives_nonsense(self):
        gateway = self.start_gateway()
        for request in (b"", b"\n", b"show=2\n\n", b"SHOW\n\n", os.urandom(100_000), b"show=1", b"show=1\n"):
            with self.subTest(request=request[:10]):
                try:
                    self.assertEqual(self.ask(gateway, request), b"")
                except (ConnectionResetError, BrokenPipeError):
                    pass  # it hung up on us in the middle
        gateway.show()

    def test_survives_clients_that_do_not_wait_for_their_answer(self):
        gateway = self.start_gateway()
        for _ in range(20):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(gateway.control_socket()))
                client.sendall(b"show=1\n\n")
        gateway.show()

    def test_survives_many_clients_that_say_nothing(self):
        gateway = self.start_gateway()
        clients = []
        for _ in range(100):
            client = socket.socket(socket.AF_UNIX)
            self.addCleanup(client.close)
            client.setblocking(False)
            try:
                client.connect(str(gateway.control_socket()))
            except BlockingIOError:
                pass
            clients.append(client)
        for client in clients:
            client.close()
        lab.wait_until(lambda: self.vps.run(lab.ADIT, "show").returncode == 0, "an answer to adit show")


if __name__ == "__main__":
    unittest.main()
