"""adit home: the companion's plan, in a tree below --root, where no command is run."""

import json
import pathlib
import re
import stat
import tempfile
import unittest

import lab

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs/home"
PF_CONF = 'ext_if = "em0"   # mine\n\nset skip on lo0\nnat on $ext_if \\\n  from 10/8 -> ($ext_if)\npass'
RC_CONF = 'hostname="home"\r\n\n  sshd_enable=YES   # odd\n'
MARKED = re.compile(r"# BEGIN adit .*?# END adit [^\n]*\n", re.S)


def home(*words):
    return lab.run(lab.ADIT, "home", *words)


def snapshot(root):
    return {
        str(path.relative_to(root)): (stat.S_IMODE(path.lstat().st_mode), path.read_bytes() if path.is_file() else None)
        for path in root.rglob("*")
    }


class Home(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name) / "root"
        (self.root / "etc").mkdir(parents=True)
        (self.root / "etc/pf.conf").write_bytes(PF_CONF.encode())
        (self.root / "etc/rc.conf").write_bytes(RC_CONF.encode())
        (self.root / "etc/jail.conf").write_bytes(b"# none\n")
        self.found = snapshot(self.root)

    def in_root(self, command, *words, example="factorio"):
        return home(command, "-c", str(EXAMPLES / f"{example}.toml"), "--root", str(self.root), *words)

    def assert_done(self, result):
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)

    def test_every_example_is_planned_applied_twice_and_removed(self):
        for example in sorted(path.stem for path in EXAMPLES.glob("*.toml")):
            with self.subTest(example=example):
                plan = self.in_root("plan", example=example)
                self.assert_done(plan)
                self.assertIn("+++ /etc/rc.conf (block", plan.stdout)
                self.assertEqual(snapshot(self.root), self.found)
                self.assertEqual(self.in_root("status", example=example).returncode, 1)

                self.assert_done(self.in_root("apply", example=example))
                applied = snapshot(self.root)
                for name, (mode, text) in self.found.items():
                    if text is not None:
                        ours = MARKED.sub("", applied[name][1].decode()).encode()
                        self.assertEqual((applied[name][0], ours.rstrip(b"\n")), (mode, text.rstrip(b"\n")), name)
                self.assert_done(self.in_root("status", example=example))

                again = self.in_root("apply", example=example)
                self.assert_done(again)
                self.assertTrue(again.stdout.startswith("Nothing to do"), again.stdout)
                self.assertEqual(snapshot(self.root), applied)

                self.assert_done(home("remove", "-c", "/nowhere", "--root", str(self.root)))
                self.assertEqual(snapshot(self.root), self.found)

    def test_commands_are_printed_and_not_run(self):
        result = self.in_root("apply")
        self.assertIn(f"Not run, as {self.root} is not this machine's root:", result.stdout)
        self.assertIn("  service pf reload\n", result.stdout)

    def test_json_is_of_the_same_things(self):
        plan = json.loads(self.in_root("plan", "--json").stdout)
        states = {change["path"]: change["state"] for change in plan["changes"]}
        self.assertEqual(states["/etc/rc.conf"], "changed")
        self.assertEqual(states["/etc/jail.conf.d/factorio.conf"], "added")
        self.assertIn(["service", "pf", "reload"], [command["words"] for command in plan["start"]])
        applied = json.loads(self.in_root("apply", "--json").stdout)
        self.assertEqual([change["path"] for change in applied["changes"]], list(states))
        self.assertEqual(applied["ran"], [])
        status = json.loads(self.in_root("status", "--json").stdout)
        self.assertTrue(status["ok"])
        self.assertEqual({change["state"] for change in status["files"]}, {"same"})

    def test_what_is_in_secret_files_is_not_shown(self):
        result = self.in_root("plan")
        self.assertRegex(result.stdout, r"wg0\.conf \(mode 0600\)\n\(a secret file: not shown; \d+ bytes, mode 0600\)\n")
        self.assertNotIn("PublicKey", result.stdout)
        self.assertNotIn("PublicKey", self.in_root("plan", "--json").stdout)

    def test_status_shows_what_drifted(self):
        self.in_root("apply")
        with (self.root / "etc/jail.conf.d/factorio.conf").open("a") as file:
            file.write("# by hand\n")
        (self.root / "etc/pf.conf").write_text("pass\n")
        result = self.in_root("status")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"(?m)^drifted +/etc/jail.conf.d/factorio.conf$")
        self.assertRegex(result.stdout, r"(?m)^missing +/etc/pf.conf, block ")
        self.assertRegex(result.stdout, r"(?m)^ok +/etc/rc.conf, block ")
        self.assertIn("\n-# by hand\n", result.stdout)
        self.assert_done(self.in_root("apply"))
        self.assert_done(self.in_root("status"))

    def test_a_file_of_somebody_else_is_refused(self):
        (self.root / "etc/jail.conf.d").mkdir()
        (self.root / "etc/jail.conf.d/factorio.conf").write_text("mine\n")
        found = snapshot(self.root)
        self.assertEqual(self.in_root("plan").returncode, 1)
        result = self.in_root("apply")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^adit: home apply: there is already /etc/jail\.conf\.d/factorio\.conf, .*\n$")
        self.assertEqual(snapshot(self.root), found)

    def test_errors_have_their_exit_status(self):
        self.assertEqual(home().returncode, lab.EXIT_USAGE)
        self.assertEqual(home("dig").returncode, lab.EXIT_USAGE)
        missing = home("plan", "-c", str(EXAMPLES / "factorio.toml"), "--root", str(self.root / "none"))
        self.assertEqual(missing.returncode, 1)
        self.assertRegex(missing.stderr, r"^adit: open .*none: No such file or directory\n$")
        for command in ("plan", "apply", "status"):
            nowhere = home(command, "-c", "/nowhere/home.toml", "--root", str(self.root))
            self.assertEqual((nowhere.returncode, nowhere.stdout), (lab.EXIT_CONFIG, ""))
            self.assertEqual(nowhere.stderr, "adit: read /nowhere/home.toml: No such file or directory\n")
        wrong = self.root / "home.toml"
        wrong.write_text("dig = 1\n")
        result = home("apply", "-c", str(wrong), "--root", str(self.root))
        self.assertEqual(result.returncode, lab.EXIT_CONFIG)
        self.assertRegex(result.stderr, r"^.*home\.toml:1:1: ")

    def test_help_has_examples(self):
        for command in ("plan", "apply", "status", "remove"):
            result = home(command, "--help")
            self.assertEqual(result.returncode, 0)
            self.assertRegex(result.stdout, rf"Example: +adit home {command}")


if __name__ == "__main__":
    unittest.main()
