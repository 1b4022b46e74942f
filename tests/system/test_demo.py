"""`adit demo`: the first thing that a newcomer runs."""

import signal
import unittest

import lab

PATIENCE = 40  # seconds; the demo itself plays for eight


class Demo(lab.LabTest):
    def namespaces(self):
        return lab.run("ip", "netns", "list", check=True).stdout

    def interfaces(self):
        return lab.run("ip", "-o", "link", check=True).stdout

    def expect_story(self, *options):
        before = self.namespaces(), self.interfaces()
        result = lab.run(lab.ADIT, "demo", *options, timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("10.1.2.5", result.stdout)
        last_line = result.stdout.strip().splitlines()[-1]
        self.assertRegex(last_line, r"^Every datagram came back: \d+, unchanged, each to the player who had sent it\.$")
        self.assertEqual((self.namespaces(), self.interfaces()), before, "what the demo leaves behind")

    def test_with_adit_at_home_ends_well(self):
        self.expect_story()

    def test_with_wireguard_go_at_home_ends_well(self):
        self.expect_story("--home", "wireguard-go")

    def test_that_is_interrupted_leaves_nothing_behind(self):
        before = self.namespaces(), self.interfaces()
        demo = self.keep(lab.Process([lab.ADIT, "demo"], self.directory / "demo.log"))
        demo.wait_for_log("10.1.2.5")
        demo.stop(signal.SIGINT)
        self.assertEqual((self.namespaces(), self.interfaces()), before)

    def test_with_an_unknown_program_at_home_is_wrong_usage(self):
        self.assertEqual(lab.run(lab.ADIT, "demo", "--home", "boringtun").returncode, lab.EXIT_USAGE)


if __name__ == "__main__":
    unittest.main()
