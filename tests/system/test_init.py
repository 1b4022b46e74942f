"""adit init: a gateway and home's kit, which work as they are; adit import: a file of wg-quick's as adit's own."""

import os
import pty
import re
import stat
import subprocess
import unittest

import factorio
import lab

def modules(code):
    """The lines of a QR code as rows of pixels, 0 for dark."""
    rows = []
    for line in re.sub("\x1b\\[[0-9;]*m", "", code).splitlines():
        rows.append([255 if block in "█▀" else 0 for block in line])
        rows.append([255 if block in "█▄" else 0 for block in line])
    return rows


def picture(rows, scale=4):
    pixels = b"".join(bytes(pixel for pixel in row for _ in range(scale)) * scale for row in rows)
    return b"P5 %d %d 255\n" % (len(rows[0]) * scale, len(rows) * scale) + pixels


def code_in(output):
    return "\n".join(line for line in output.splitlines() if "█" in line)


def scanned(output, directory):
    file = directory / "code.pgm"
    file.write_bytes(picture(modules(code_in(output))))
    return lab.run("zbarimg", "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", str(file), check=True).stdout


def settings(conf):
    """What a file of wg-quick's means: its lines without comments."""
    return [line.strip() for line in conf.splitlines() if line.strip() and not line.startswith("#")]


class Kit(factorio.FactorioTest):
    """The kit is written on the VPS, and used unedited."""

    def init(self, *words, **options):
        return self.vps.run(lab.ADIT, "init", "--dir", self.kit, *words, **options)

    def test_it_works_as_it_is(self):
        self.kit = self.vps.directory / "adit"
        # The VPS's own address is taken for home's endpoint, and networks that it has are not taken for the tunnel.
        self.vps.ip("route", "add", "default", "via", "198.51.100.2")
        self.vps.ip("route", "add", "10.0.0.0/9", "dev", "lo")
        self.vps.ip("route", "add", "10.128.0.0/10", "dev", "lo")
        result = self.init("--forward", "factorio:udp/34197", "--qr", check=True)
        for part in ("  udp 51820  (the tunnel)\n", "  udp 34197  (leads home)\n", f"sudo adit run -c {self.kit}/adit.toml\n"):
            self.assertIn(part, result.stdout)
        conf = (self.kit / "home/wg0.conf").read_text()
        self.assertIn("Endpoint = 198.51.100.1:51820\n", conf)
        self.assertRegex(conf, r"Address = 10\.(19[2-9]|2..)\.\d+\.2/24, fd[0-9a-f:]+::2/64\n")
        self.assertEqual(settings(scanned(result.stdout, self.kit)), settings(conf))
        self.check_files()
        self.check_nothing_is_overwritten()
        self.check_home_plans()
        self.play()

    def check_files(self):
        self.assertEqual(self.vps.run(lab.ADIT, "check", "-c", self.kit / "adit.toml").returncode, 0)
        modes = {str(path.relative_to(self.kit)): stat.S_IMODE(path.stat().st_mode) for path in self.kit.rglob("*")}
        modes.pop("code.pgm")
        secret = ("wg0.key", "wg0.psk", "home/wg0.conf", "home/home.key", "home/home.psk")
        others = {"adit.toml": 0o640, "home": 0o700, "home/home.toml": 0o644, "home/README.txt": 0o644}
        self.assertEqual(modes, others | dict.fromkeys(secret, 0o600))

    def check_nothing_is_overwritten(self):
        before = {path: path.read_bytes() for path in self.kit.rglob("*") if path.is_file()}
        (self.kit / "adit.toml").unlink()
        result = self.init("--forward", "udp/1")
        self.assertEqual(result.returncode, lab.EXIT_FAILED)
        self.assertRegex(result.stderr, r"^adit: init: nothing is written, as there is already .*/wg0\.key, .*/home/wg0\.conf,")
        self.assertFalse((self.kit / "adit.toml").exists())
        (self.kit / "adit.toml").write_bytes(before[self.kit / "adit.toml"])
        self.assertEqual({path: path.read_bytes() for path in self.kit.rglob("*") if path.is_file()}, before)

    def check_home_plans(self):
        root = self.home.directory / "root"
        (root / "etc").mkdir(parents=True)
        (root / "etc/rc.conf").write_text("")
        (root / "etc/pf.conf").write_text("pass\n")
        plan = self.home.run(lab.ADIT, "home", "plan", "-c", self.kit / "home/home.toml", "--root", root)
        self.assertEqual((plan.returncode, plan.stderr), (0, ""), plan.stdout)
        self.assertIn("/usr/local/etc/wireguard/wg0.conf", plan.stdout)

    def play(self):
        """A datagram of each IP version there and back, through wg-quick's interface at home."""
        gateway = self.keep(Gateway(self.vps, self.kit / "adit.toml"))
        conf = self.kit / "home/wg0.conf"
        environment = {"WG_QUICK_USERSPACE_IMPLEMENTATION": lab.ADIT}
        lab.run(*self.home.command("wg-quick", "up", conf), environment=environment, check=True)
        self.addCleanup(lab.run, *self.home.command("wg-quick", "down", conf), check=True)
        gateway.wait_for_handshake()
        self.echo(self.home, (re.search(r"Address = ([0-9.]+)", conf.read_text())[1], 34197))
        for address in self.PUBLIC:
            player = self.player(self.players, address, 34197)
            self.assertEqual(player.ask(b"hello"), b"hello")


class Gateway(factorio.Gateway):
    """`adit run` of a file that is there."""

    def __init__(self, node, config):
        self.node, self.program, self.interface = node, lab.ADIT, "wg0"
        words = node.command(lab.ADIT, "run", "-c", config)
        lab.Process.__init__(self, words, node.directory / "adit.log", node.environment(), expect_exit=0)
        self.wait_for_log(" ready: ")


class Commands(lab.LabTest):
    """On a machine that knows nothing but itself."""

    def init(self, *words):
        return lab.run(lab.ADIT, "init", "--dir", str(self.directory / "adit"), *words)

    def test_without_a_terminal_it_says_which_option_is_missing_or_wrong(self):
        endpoint = ("--endpoint", "vps.example")
        for words, complaint in (
            ((), "--forward is missing"),
            (("--forward", "udp/1"), "--endpoint is missing"),
            (("--forward", "udp/0", *endpoint), '--forward "udp/0"'),
            (("--forward", "udp/51820", *endpoint), "0.0.0.0:51820 is the interface's own listen_port"),
            (("--forward", "udp/1", "--endpoint", "a b"), '--endpoint "a b"'),
            (("--forward", "udp/1", *endpoint, "--network", "10.0.0.0/31"), "--network must be like"),
            (("--forward", "udp/1", *endpoint, "--interface", "a/b"), "--interface must be"),
            (("--forward", "udp/1", *endpoint, "--network6", "fd00::/64", "--no-ipv6"), "excludes"),
            (("--forward", "udp/1", *endpoint, "--listen-port", "0"), "--listen-port"),
        ):
            with self.subTest(words=words):
                result = self.init(*words)
                self.assertEqual(result.returncode, lab.EXIT_USAGE, result.stderr)
                self.assertIn(complaint, result.stderr)
                self.assertFalse((self.directory / "adit").exists())

    def test_options_say_everything(self):
        result = self.init(
            "--forward", "none", "--endpoint", "2001:db8::1", "--listen-port", "443", "--interface", "tun7", "--network",
            "172.20.9.0/28", "--network6", "fd00:7::/120", "--no-preshared-key",
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("No port leads home yet", result.stdout)
        self.assertNotIn("█", result.stdout)
        conf = (self.directory / "adit/home/wg0.conf").read_text()
        for line in ("Endpoint = [2001:db8::1]:443", "Address = 172.20.9.2/28, fd00:7::2/120"):
            self.assertIn(line + "\n", conf)
        self.assertFalse((self.directory / "adit/tun7.psk").exists())
        self.assertIn("interface tun7, 1 peer, 0 forwards", lab.run(lab.ADIT, "check", "-c", self.directory / "adit/adit.toml").stdout)

    def test_on_a_terminal_it_asks(self):
        ours, theirs = pty.openpty()
        words = (lab.ADIT, "init", "--dir", self.directory / "adit")
        with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | lab.SANITIZERS) as process:
            os.close(theirs)
            os.write(ours, b"udp 1\nudp/34197 tcp/80\nvps.example\ny\n")
            said = b""
            while True:
                try:
                    said += os.read(ours, 65536)
                except OSError:  # the terminal is gone with the process
                    break
        os.close(ours)
        said = said.decode().replace("\r\n", "\n")
        self.assertEqual(process.returncode, 0, said)
        self.assertIn('--forward "udp": it must be like', said)
        self.assertIn("By which name or address does home reach this machine?", said)
        conf = (self.directory / "adit/home/wg0.conf").read_text()
        self.assertIn("Endpoint = vps.example:51820\n", conf)
        self.assertEqual(settings(scanned(said, self.directory)), settings(conf))

    def test_import_prints_what_check_takes_and_says_the_rest(self):
        keys = lab.Keys(), lab.Keys()
        source = self.directory / "vpn3.conf"
        source.write_text(
            f"[Interface]\nPrivateKey = {keys[0].private}\nAddress = 10.1.2.5/24\nDNS = 1.1.1.1\n"
            f"PostUp = iptables -t nat -A PREROUTING -p udp --dport 1 -j DNAT --to 10.1.2.2\n"
            f"[Peer]\nPublicKey = {keys[1].public}\nAllowedIPs = 10.1.2.2/32\n"
        )
        result = lab.run(lab.ADIT, "import", source)
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r"^\S+vpn3.conf:4: not taken over: DNS = 1.1.1.1\n  adit leaves name servers alone")
        self.assertRegex(result.stderr, r"vpn3.conf:5: not taken over: PostUp = .*\n  .*\[\[forward\]\]")
        config = self.directory / "adit.toml"
        for mode, status in ((0o644, lab.EXIT_CONFIG), (0o600, 0)):
            config.write_text(result.stdout)
            config.chmod(mode)
            check = lab.run(lab.ADIT, "check", "-c", config)
            self.assertEqual(check.returncode, status, check.stderr)
        self.assertIn("(interface vpn3, 1 peer, 0 forwards)", check.stdout)
        for mode, warned in ((0o644, True), (0o600, False)):
            config.chmod(mode)
            with config.open("w") as output:
                written = subprocess.run([lab.ADIT, "import", source], stdout=output, stderr=subprocess.PIPE, text=True, check=True)
            self.assertEqual("chmod 600" in written.stderr, warned)

    def test_import_says_everything_that_is_wrong(self):
        source = self.directory / "wg0.conf"
        source.write_text("[Interface]\nPrivatKey = x\nMTU = 9\n")
        result = lab.run(lab.ADIT, "import", source)
        self.assertEqual((result.returncode, result.stdout), (lab.EXIT_CONFIG, ""))
        self.assertEqual(
            result.stderr,
            f'{source}:2:1: unknown key "PrivatKey" (did you mean "PrivateKey"?)\n'
            f'{source}:3:7: MTU must be a number from 576 to 65455, not "9"\n',
        )

    def test_import_of_what_is_no_file_of_wg_quicks_ends_as_run_does(self):
        large = self.directory / "large.conf"
        large.write_text("#" * (1 << 20) + "\n")
        for file, why in (("/nowhere", "adit: read /nowhere: No such file or directory\n"),
                          (large, f"{large}:1:1: larger than 1 MiB: not a configuration\n")):
            result = lab.run(lab.ADIT, "import", file)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (lab.EXIT_CONFIG, "", why))


if __name__ == "__main__":
    unittest.main()
