"""A machine on which adit's rc.d scripts run: a network namespace, and doubles (rc_d/) of what only FreeBSD has."""

import contextlib
import os
import pathlib
import shutil

import lab

DOUBLES = lab.ROOT / "tests/system/rc_d"


def program_of(pid):
    """Its command line, empty when there is none."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


def processes():
    """adit's and daemon(8)'s, by process id."""
    pids = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
    words = {pid: program_of(pid).split() for pid in pids}
    return {pid: " ".join(w) for pid, w in words.items() if w and w[0].endswith(("/bin/adit", "daemon:"))}


def orphans_that_ended():
    """Zombies of adit and of daemon(8) that were left to this process, which is the first of its namespace."""
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            name, after = (entry / "stat").read_text().split(" (", 1)[1].rsplit(") ", 1)
            state, parent = after.split()[:2]
            if state == "Z" and int(parent) == os.getpid() and name.startswith(("adit", "python")):
                yield int(entry.name)


def wait_for_orphans():
    """What process 1 does elsewhere."""
    for pid in orphans_that_ended():
        os.waitpid(pid, 0)


class RcDTest(lab.LabTest):
    SCRIPT = None

    def setUp(self):
        super().setUp()
        self.vps = self.node("vps")
        self.prefix = self.vps.directory / "local"
        for directory in ("bin", "etc/adit", "etc/wireguard", "etc/rc.d"):
            (self.prefix / directory).mkdir(parents=True)
        (self.prefix / "bin/adit").symlink_to(lab.ADIT)
        self.script = self.prefix / "etc/rc.d" / self.SCRIPT
        text = (lab.ROOT / f"rc.d/{self.SCRIPT}.in").read_text()
        for theirs, ours in (
            ("%%PREFIX%%", self.prefix),
            ("/etc/rc.subr", DOUBLES / "rc.subr"),
            ("/usr/sbin/daemon", DOUBLES / "daemon"),
        ):
            text = text.replace(theirs, str(ours))
        self.script.write_text(text)
        self.script.chmod(0o755)
        self.syslog = self.vps.directory / "syslog"
        self.enterContext(lab.repeating(wait_for_orphans))
        self.addCleanup(self.end_what_is_left)

    def end_what_is_left(self):
        for pid in processes():
            os.kill(pid, 9)
        lab.wait_until(lambda: not processes(), "nothing is left for the next test")
        for directory in ("/var/run/adit", "/var/run/wireguard"):
            shutil.rmtree(directory, ignore_errors=True)

    def write_rc_conf(self, **variables):
        self.vps.write("rc.conf", "".join(f'{name}="{value}"\n' for name, value in variables.items()))

    def service(self, *words):
        """As service(8) does: with hardly any environment."""
        environment = {"RC_CONF": self.vps.directory / "rc.conf", "SYSLOG": self.syslog} | lab.SANITIZERS
        environment["PATH"] = f"{DOUBLES}:/sbin:/bin:/usr/sbin:/usr/bin"
        clean = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        return lab.run(*self.vps.command(*clean, "dash", self.script, *words), timeout=60)

    def succeed(self, *words):
        result = self.service(*words)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result

    def fail_with(self, pattern, *words):
        result = self.service(*words)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stdout + result.stderr, pattern)
        return result

    def expect_nothing_left(self):
        self.assertEqual(processes(), {})
        for interface in ("wg0", "wg1"):
            self.assertFalse(self.vps.has_interface(interface), interface)
        left = []
        for directory in map(pathlib.Path, ("/var/run/adit", "/var/run/wireguard")):
            left += [path.name for path in directory.iterdir()] if directory.exists() else []
        self.assertEqual(left, [])
