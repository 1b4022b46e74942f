"""The commands that are not the gateway itself, beside WireGuard's own where it has the same."""

import base64
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import factorio
import lab

COMMANDS = ("run", "check", "show", "doctor", "bench", "demo", "home", "genkey", "genpsk", "pubkey")
KEY = re.compile(r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\n$")


def adit(*words, **options):
    return lab.run(lab.ADIT, *words, **options)


class Usage(unittest.TestCase):
    def test_help_of_every_command_ends_well_and_has_an_example(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                result = adit(command, "--help")
                self.assertEqual(result.returncode, 0)
                self.assertRegex(result.stdout, rf"Example: +.*adit {command}")
                self.assertEqual(result.stderr, "")

    def test_help_of_the_program_names_every_command(self):
        result = adit("--help")
        self.assertEqual(result.returncode, 0)
        for command in COMMANDS:
            self.assertRegex(result.stdout, rf"(?m)^ +{command} ")

    def test_version(self):
        result = adit("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^adit \d+\.\d+\.\d+\n$")

    def test_what_nobody_knows_is_wrong_usage(self):
        for words in (
            (),
            ("dig", "deeper"),
            ("--dig",),
            ("show", "--watch", "--interval", "nan"),
            ("doctor", "--seconds", "nan"),
            ("run", "--dig"),
            ("run", "--log-level", "loud"),
            ("check", "-c"),
            ("show", "--dig"),
            ("show", "--json", "--home-routes"),
            ("genkey", "more"),
        ):
            with self.subTest(words=words):
                result = adit(*words)
                self.assertEqual(result.returncode, lab.EXIT_USAGE)
                self.assertEqual(result.stdout, "")
                self.assertNotEqual(result.stderr, "")

    def test_a_command_that_was_mistyped_does_not_become_an_interface(self):
        for word, meant in (("shwo", "show"), ("chekc", "check"), ("rleoad", "reload"), ("help", ""), ("status", "")):
            for words in ((word,), (word, "wg0")):
                self.expect_no_command(words, "adit", word, meant)

    def test_a_command_of_a_command_that_was_mistyped_is_guessed(self):
        for words, meant in ((("home", "aply"), "apply"), (("home", "statsu", "--json"), "status"),
                             (("home", "check"), ""), (("bench", "tunel"), "tunnel")):
            self.expect_no_command(words, f"adit {words[0]}", words[1], meant)

    def expect_no_command(self, words, known, word, meant):
        with self.subTest(words=words):
            result = adit(*words)
            self.assertEqual(result.returncode, lab.EXIT_USAGE)
            self.assertIn(f'{known}: there is no command "{word}"', result.stderr)
            self.assertIn(f'did you mean "{meant}"?' if meant else "--help", result.stderr)


class Keys(unittest.TestCase):
    def test_are_of_the_shape_wg_makes_them(self):
        for command in ("genkey", "genpsk"):
            for program in (lab.ADIT, "wg"):
                with self.subTest(command=command, program=program):
                    result = lab.run(program, command)
                    self.assertEqual(result.returncode, 0)
                    self.assertRegex(result.stdout, KEY)

    def test_private_ones_are_clamped_and_never_the_same(self):
        keys = {adit("genkey").stdout for _ in range(8)}
        self.assertEqual(len(keys), 8)
        for key in keys:
            raw = base64.b64decode(key)
            self.assertEqual((raw[0] & 7, raw[31] & 0xC0), (0, 0x40))

    def test_have_the_public_key_that_wg_says(self):
        private_keys = [lab.run(program, "genkey").stdout for program in ("wg", lab.ADIT) for _ in range(8)]
        # Not clamped: wg takes it as well.
        private_keys.append(base64.b64encode(bytes(range(255, 223, -1))).decode() + "\n")
        for private in private_keys:
            self.assertEqual(adit("pubkey", text=private).stdout, lab.run("wg", "pubkey", text=private).stdout)

    def test_are_read_as_wg_reads_them(self):
        key = lab.run("wg", "genkey").stdout.strip()
        for text in (key, key + "\n", key + "\n\n", key + "\nmore\n", key + " ", key + "\r\n", " " + key, "\n" + key):
            with self.subTest(text=text.replace(key, "KEY")):
                ours, theirs = adit("pubkey", text=text), lab.run("wg", "pubkey", text=text)
                self.assertEqual((ours.returncode, ours.stdout), (theirs.returncode, theirs.stdout))

    def test_that_are_none_are_refused_as_wg_refuses_them(self):
        key = lab.run("wg", "genkey").stdout.strip()
        for text in (
            "", "\n", "garbage\n", "\0" * 44,
            key[:-1], key[:-2] + "==", key[:-1] + "A", key + "A", "*" + key[1:], key[:43] + "\n=",
        ):
            with self.subTest(text=text.replace(key, "KEY")):
                ours, theirs = adit("pubkey", text=text), lab.run("wg", "pubkey", text=text)
                self.assertEqual((ours.returncode, ours.stdout), (1, ""))
                self.assertEqual(theirs.returncode, 1)
                self.assertIn("adit: ", ours.stderr)
                self.assertNotIn(key, ours.stderr)

    def test_that_cannot_be_written_are_a_failure(self):
        for command in ("genkey", "genpsk", "pubkey"):
            with self.subTest(command=command), open("/dev/full", "w") as full:
                result = subprocess.run(
                    [lab.ADIT, command], input=lab.Keys().private, stdout=full, stderr=subprocess.PIPE, text=True
                )
                self.assertEqual(result.returncode, lab.EXIT_FAILED)
                self.assertIn("No space left", result.stderr)

    def test_in_a_file_for_everybody_are_warned_of_as_wg_does(self):
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for umask, warned in ((0o022, True), (0o077, False)):
            for program in ("wg", lab.ADIT):
                with self.subTest(program=program, umask=oct(umask)):
                    path = directory / f"{pathlib.Path(program).name}-{umask}"
                    before = os.umask(umask)
                    with open(path, "w") as output:
                        os.umask(before)
                        result = subprocess.run([program, "genkey"], stdout=output, stderr=subprocess.PIPE, text=True)
                    self.assertEqual(result.returncode, 0)
                    self.assertRegex(path.read_text(), KEY)
                    self.assertEqual("world accessible" in result.stderr, warned)


class Check(lab.LabTest):
    def write(self, name, text, mode=0o600):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def test_is_content_with_the_example(self):
        config = self.write("adit.toml", (lab.ROOT / "examples/factorio.toml").read_text(), 0o644)
        self.write("wg0.key", lab.Keys().private + "\n")
        result = adit("check", "-c", str(config))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        self.assertIn("ok (interface wg0, 1 peer, 1 forward)", result.stdout)

    def test_says_what_the_examples_first_reader_forgets(self):
        config = self.write("adit.toml", (lab.ROOT / "examples/factorio.toml").read_text(), 0o644)
        result = adit("check", "-c", str(config))
        self.assertEqual(result.returncode, lab.EXIT_CONFIG)
        self.assertRegex(result.stderr, rf"(?m)^{config}:\d+:\d+: .*wg0\.key.*adit genkey")


class Show(factorio.FactorioTest):
    def test_without_a_gateway_says_so(self):
        for words in (("show",), ("show", "--json"), ("show", "wg0"), ("show", "wg0", "--json")):
            with self.subTest(words=words):
                result = self.vps.run(lab.ADIT, *words)
                self.assertEqual(result.returncode, lab.EXIT_FAILED)
                self.assertEqual(result.stdout, "")
                self.assertRegex(result.stderr, r"^adit: .*no gateway .*is running")
                self.assertNotIn("sudo", result.stderr)

    def test_without_a_gateway_of_his_own_a_user_is_reminded_of_root(self):
        for words in (("show",), ("show", "wg0"), ("reload",), ("show", "--watch")):
            with self.subTest(words=words):
                result = self.vps.run("setpriv", "--reuid=65534", "--clear-groups", lab.ADIT, *words)
                self.assertEqual(result.returncode, lab.EXIT_FAILED)
                self.assertRegex(result.stderr, r"^adit: .*is running.*sudo")

    def test_tells_a_person_what_there_is_to_know(self):
        gateway = self.start_gateway(peer={"persistent_keepalive": 25})
        text = self.vps.run(lab.ADIT, "show", check=True).stdout
        for line in (
            "interface: wg0",
            f"  public key: {self.vps_keys.public}",
            "  listening port: 342",
            "  addresses: 10.1.2.5/24, fd00:1:2::5/64",
            f"peer: home {self.home_keys.public}",
            "  allowed ips: 10.1.2.2/32, fd00:1:2::2/128",
            "  latest handshake: never",
            "  transfer: 0 B received, 0 B sent",
            "  persistent keepalive: every 25 seconds",
            "forward: factorio (udp)",
            "  listen: 0.0.0.0:34197, [::]:34197",
            "  to: 10.1.2.2:34197",
        ):
            self.assertIn(line, text.splitlines())
        self.assertNotIn("endpoint:", text)

        self.start_home()
        self.start_service()
        gateway.wait_for_handshake()
        self.player(self.players, self.PUBLIC[0], self.SERVICE[1]).ask(b"hello")
        text = self.vps.run(lab.ADIT, "show", "wg0", check=True).stdout
        self.assertIn("  endpoint: 198.51.100.2:342", text.splitlines())
        self.assertRegex(text, r"(?m)^  latest handshake: (now|\d+ seconds? ago)$")
        self.assertRegex(text, r"(?m)^  flows: 1 of \d+ \(1 opened so far\)$")
        self.assertIn("    0 established, 0 unanswered, 0 pushed out so far", text.splitlines())
        self.assertIn("  in: 1 packets, 5 B; out: 1 packets, 5 B", text.splitlines())

    def test_secrets_are_never_shown(self):
        psk = lab.run("wg", "genpsk", check=True).stdout.strip()
        gateway = self.start_gateway(peer={"preshared_key": psk})
        for words in (("show",), ("show", "--json")):
            text = self.vps.run(lab.ADIT, *words, check=True).stdout
            self.assertNotIn(psk, text)
            self.assertNotIn(self.vps_keys.private, text)
        gateway.stop()
        self.assertNotIn(psk, gateway.log())
        self.assertNotIn(self.vps_keys.private, gateway.log())

    def test_json_has_these_keys_and_types(self):
        gateway = self.start_everything()
        self.player(self.players, self.PUBLIC[1], self.SERVICE[1]).ask(b"hello")
        status = gateway.show()
        of_all = json.loads(self.vps.run(lab.ADIT, "show", "--json", check=True).stdout)
        self.assertEqual([list(each) for each in of_all], [["time", "interface", "peers", "forwards", "drops"]])
        self.assertEqual(list(status), list(of_all[0]))
        self.assertEqual(status["interface"], {
            "name": "wg0",
            "public_key": self.vps_keys.public,
            "listen_port": 342,
            "addresses": ["10.1.2.5/24", "fd00:1:2::5/64"],
            "mtu": 1420,
            "tun": True,
        })
        peer = status["peers"][0]
        self.assertIsInstance(peer.pop("latest_handshake"), int)
        self.assertGreater(peer.pop("received_bytes"), 148)
        self.assertGreater(peer.pop("sent_bytes"), 92)
        self.assertEqual(peer, {
            "name": "home",
            "public_key": self.home_keys.public,
            "endpoint": "198.51.100.2:342",
            "allowed_ips": ["10.1.2.2/32", "fd00:1:2::2/128"],
            "handshake_attempts": 0,
            "persistent_keepalive": 0,
        })
        self.assertEqual(status["forwards"][0], {
            "name": "factorio",
            "protocol": "udp",
            "listen": ["0.0.0.0:34197", "[::]:34197"],
            "to": "10.1.2.2:34197",
            "source": "snat",
            "flows": 1,
            "flows_unanswered": 0,
            "flows_established": 0,
            "max_flows": 4096,
            "flows_opened": 1,
            "flows_evicted": 0,
            "packets_in": 1,
            "bytes_in": 5,
            "packets_out": 1,
            "bytes_out": 5,
            "unreachable": 0,
            "service_is_reachable": True,
            "drops": {},
        })

    def test_transfer_is_what_home_counts(self):
        gateway = self.start_gateway()
        self.start_home(keepalive=0)
        self.start_service()
        with self.home.socket(lab.family_of("10.1.2.5")) as asking:
            asking.sendto(b"begin", ("10.1.2.5", 9))
        gateway.wait_for_handshake()
        player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        for size in (0, 1, 100, 1392):
            player.ask(bytes(size))
        received, sent = self.home.run("wg", "show", "wg0", "transfer", check=True).stdout.split()[1:]
        peer = gateway.peer()
        self.assertEqual((peer["sent_bytes"], peer["received_bytes"]), (int(received), int(sent)))


if __name__ == "__main__":
    unittest.main()
