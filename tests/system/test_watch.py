"""`adit show --watch` on a terminal, on one that is narrow or knows nothing, and where there is none."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import unittest

import lab
from ends import Ends

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """A program on a pseudo-terminal.  Everything it writes is kept."""

    def __init__(self, node, *words, columns=100, **environment):
        self.master, slave = pty.openpty()
        self.resize(columns)
        environment = {"TERM": "xterm", "LC_ALL": "C.UTF-8"} | environment
        self.popen = subprocess.Popen(
            node.command(*words), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, **lab.SANITIZERS,
                 **node.environment(), **environment},
        )
        os.close(slave)
        self.text = ""

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            try:
                piece = os.read(self.master, 65536)
            except OSError:  # it has ended
                return
            self.text += piece.decode(errors="replace")

    def wait_for(self, text, timeout=lab.GENEROUS):
        """Waits for what was not there before, and takes it away with all before it."""
        def said():
            self.read()
            return text in self.text

        lab.wait_until(said, f"{text!r} on the terminal", timeout)
        before, self.text = self.text.split(text, 1)
        return before

    def end(self, number=signal.SIGTERM):
        self.popen.send_signal(number)
        status = self.popen.wait(lab.GENEROUS)
        self.read()
        os.close(self.master)
        return status


class Watch(Ends):
    def watch(self, *options, **how):
        terminal = Terminal(self.vps, lab.ADIT, "show", "--watch", "--interval", "0.1", *options, **how)
        self.addCleanup(terminal.popen.kill)
        return terminal

    def start(self):
        gateway = self.start_gateway()
        self.start_adit_at_home(endpoint="198.51.100.1:342", persistent_keepalive=1)
        self.start_service()
        gateway.wait_for_handshake()
        return gateway

    def playing(self):
        player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        return lab.repeating(lambda: player.ask(bytes(500)))

    def test_on_a_terminal(self):
        gateway = self.start()
        terminal = self.watch()
        terminal.wait_for(ENTER)
        terminal.wait_for("handshake")
        with self.subTest("rates and bars"), self.playing():
            terminal.wait_for("kbit/s")
            terminal.wait_for("1 of 4096 flows")
            terminal.wait_for("█")
        with self.subTest("drops that grow are red"):
            with self.players.socket(lab.family_of(self.PUBLIC[0])) as stranger:
                stranger.sendto(b"junk", (self.PUBLIC[0], 342))
                terminal.wait_for("\x1b[1;31mbad_type 1 (+1)")
        with self.subTest("another size is drawn at once"):
            terminal.resize(40)
            os.killpg(terminal.popen.pid, signal.SIGWINCH)

            def is_narrow():
                picture = self.without_escapes(terminal.wait_for("\x1b[J"))
                return "forward" in picture and max(map(len, picture.splitlines())) <= 40

            lab.wait_until(is_narrow, "a picture of 40 columns")
        with self.subTest("a gateway that goes and comes back"):
            gateway.finish()
            terminal.wait_for("gateway is gone")
            self.start_gateway()
            terminal.wait_for("udp port 342")
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.assertEqual(terminal.end(number), lab.EXIT_DONE)
                self.assertTrue(terminal.text.endswith(LEAVE), terminal.text[-100:])
                terminal = self.watch("wg0", NO_COLOR="1", LC_ALL="C")
                terminal.wait_for("factorio")
                terminal.wait_for("factorio")
        with self.subTest("neither colours nor blocks"):
            self.assertNotIn("\x1b[1", terminal.wait_for("drops"))
            terminal.text.encode("ascii")
            terminal.end()
        with self.subTest("a terminal that knows no escapes"):
            terminal = self.watch(TERM="dumb")
            self.assertNotIn("\x1b", terminal.wait_for("drops") + terminal.wait_for("drops"))
            self.assertEqual(terminal.end(), lab.EXIT_DONE)
            self.assertNotIn("\x1b", terminal.text)

    @staticmethod
    def without_escapes(line):
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line)

    def test_that_is_none(self):
        nobody = self.vps.run(lab.ADIT, "show", "--watch")
        self.assertEqual(nobody.returncode, lab.EXIT_FAILED)
        self.assertIn("no gateway is running", nobody.stderr)
        self.start_gateway()
        output = self.directory / "watched"
        watching = self.keep(lab.Process(
            self.vps.command(lab.ADIT, "show", "wg0", "--watch", "--interval", "0.1"), output, self.vps.environment(),
            expect_exit=lab.EXIT_DONE,
        ))
        lab.wait_until(lambda: watching.log().count("wg0  udp port 342") >= 3, "a block for each interval")
        self.assertEqual(watching.stop(signal.SIGINT), lab.EXIT_DONE)
        self.assertNotIn("\x1b", watching.log())
        self.assertIn("peer home  no handshake yet\n", watching.log())
        for words in (("--json",), ("--home-routes",), ("--interval", "0")):
            self.assertEqual(self.vps.run(lab.ADIT, "show", "--watch", *words).returncode, lab.EXIT_USAGE)
        self.assertEqual(self.vps.run(lab.ADIT, "show", "--interval", "1").returncode, lab.EXIT_USAGE)


if __name__ == "__main__":
    unittest.main()
