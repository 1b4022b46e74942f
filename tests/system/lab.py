"""A small internet on one machine: network namespaces, cables between them, and real programs inside.

How it works: importing this module starts the interpreter anew in mount, network and process namespaces of its own (and
in a user namespace, when it is not root), with an empty /run.  Whatever a test makes - namespaces, interfaces,
processes, control sockets - is seen by nobody else and ends with the interpreter, even if that is killed.

A socket belongs to the namespace it is made in, so players and services are plain sockets of the test process.

The program under test is $ADIT (build/asan/adit), and $ADIT_RELEASE (build/release/adit) where figures are taken.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ADIT = os.environ.get("ADIT", str(ROOT / "build/asan/adit"))
ADIT_RELEASE = os.environ.get("ADIT_RELEASE", str(ROOT / "build/release/adit"))

GENEROUS = 15  # seconds: how long anything that should be quick may take on a busy machine
CLONE_NEWNET = 0x40000000
EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_CONFIG = 0, 1, 2, 78

SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "ADIT_SANDBOX": "strict",  # a system call that was forgotten ends the gateway, and so the test
}
SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:")


def _enter_own_namespaces():
    """Restarts the interpreter in namespaces of its own.  Returns, with the reason, only where that cannot be done."""
    if "ADIT_LAB" in os.environ:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
        return None
    own = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    for command in (own, own + ["--user", "--map-root-user"]):
        probe = [*command, "sh", "-c", "mount -t tmpfs tmpfs /run && ip netns add probe && exec 3<>/dev/net/tun"]
        try:
            result = subprocess.run(probe, capture_output=True, text=True, timeout=GENEROUS)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"no namespaces here: {error}"
        if result.returncode == 0:
            environment = os.environ | {"ADIT_LAB": "inside"}
            os.execvpe(command[0], [*command, sys.executable, *sys.orig_argv[1:]], environment)
    return f"no namespaces or no tun devices here: {result.stderr.strip()}"


IMPOSSIBLE = _enter_own_namespaces()


# ---- waiting


def wait_until(condition, what, timeout=GENEROUS):
    """Asks until `condition` holds and returns what it said; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        if result := condition():
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.02)


@contextlib.contextmanager
def repeating(action, pause=0.01):
    """A thread does it again and again meanwhile, with a pause in seconds before each time."""
    ended = threading.Event()

    def repeat():
        while not ended.wait(pause):
            action()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


# ---- programs


class Process:
    """A program in the background.  What it writes is kept in a file."""

    def __init__(self, words, log, environment=None, expect_exit=None, pass_fds=()):
        self.words, self.log_file, self.expect_exit = words, log, expect_exit
        with open(log, "wb") as output:
            self.popen = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | SANITIZERS | (environment or {}),
                pass_fds=pass_fds,
            )

    @property
    def pid(self):
        return self.popen.pid

    def log(self):
        return self.log_file.read_text(errors="replace")

    def runs(self):
        return self.popen.poll() is None

    def wait(self, timeout=GENEROUS):
        """Its exit status, once it has ended by itself."""
        return self.popen.wait(timeout)

    def stop(self, number=signal.SIGTERM):
        self.popen.send_signal(number)
        return self.wait()

    def kill(self):
        self.popen.kill()
        self.popen.wait()

    def wait_for_log(self, text, timeout=GENEROUS):
        def said():
            return text in self.log() or not self.runs()

        wait_until(said, f"{self.words} says {text!r}", timeout)
        if text not in self.log():
            raise AssertionError(f"{self.words} ended without {text!r}:\n{self.log()}")

    def finish(self):
        """Ends it if it still runs; a program with `expect_exit` must then end with that status."""
        ran = self.runs()
        if ran:
            self.popen.terminate()
        try:
            status = self.popen.wait(GENEROUS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.words} does not end on SIGTERM") from None
        if any(report in self.log() for report in SANITIZER_REPORTS):
            raise AssertionError(f"{self.words}:\n{self.log()}")
        if ran and self.expect_exit is not None and status != self.expect_exit:
            raise AssertionError(f"{self.words} ended with {status}:\n{self.log()}")


def run(*words, text=None, check=False, environment=None, timeout=GENEROUS):
    """Runs a program to its end; its output is text."""
    environment = os.environ | SANITIZERS | (environment or {})
    result = subprocess.run(
        words, input=text or "", capture_output=True, text=True, timeout=timeout, env=environment
    )
    if check and result.returncode != 0:
        raise AssertionError(f"{words} ended with {result.returncode}: {result.stdout}{result.stderr}")
    if any(report in result.stderr for report in SANITIZER_REPORTS):
        raise AssertionError(f"{words}: {result.stderr}")
    return result


class Keys:
    """A key pair, by WireGuard's own tool."""

    def __init__(self):
        self.private = run("wg", "genkey", check=True).stdout.strip()
        self.public = run("wg", "pubkey", text=self.private, check=True).stdout.strip()


def toml(*sections):
    """TOML text of (header, dictionary) pairs.  JSON writes the values that are used here as TOML does."""
    lines = []
    for header, values in sections:
        lines.append(header)
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


# ---- namespaces


class Node:
    """A machine: a network namespace."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = directory / name
        self.directory.mkdir()
        run("ip", "netns", "add", name, check=True)
        self.ip("link", "set", "lo", "up")

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def environment(self):
        return {"ADIT_RUN_DIR": str(self.directory / "run")}

    def run(self, *words, **options):
        return run(*self.command(*words), environment=self.environment(), **options)

    def ip(self, *words):
        return run("ip", "-n", self.name, *map(str, words), check=True).stdout

    def add_address(self, device, *addresses):
        for address in addresses:
            self.ip("addr", "add", address, "dev", device, *(["nodad"] if ":" in address else []))

    def has_interface(self, name):
        return run("ip", "-n", self.name, "link", "show", name).returncode == 0

    def write(self, name, text, mode=0o600):
        """Writes a file and returns its path."""
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return path

    @contextlib.contextmanager
    def entered(self):
        """This thread is in the namespace meanwhile."""
        libc = ctypes.CDLL(None, use_errno=True)

        def enter(namespace):
            if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

        with open("/proc/thread-self/ns/net", "rb") as before, open(f"/run/netns/{self.name}", "rb") as inside:
            enter(inside)
            try:
                yield
            finally:
                enter(before)

    def socket(self, family, kind=socket.SOCK_DGRAM, protocol=0):
        with self.entered():
            return socket.socket(family, kind, protocol)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def cable(one, its_device, other, others_device):
    one.ip("link", "add", its_device, "type", "veth", "peer", "name", others_device, "netns", other.name)
    one.ip("link", "set", its_device, "up")
    other.ip("link", "set", others_device, "up")


# ---- tests


class LabTest(unittest.TestCase):
    """Gives each test nodes and programs, and takes them away again; shows what they wrote if the test fails."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if IMPOSSIBLE:
            raise unittest.SkipTest(IMPOSSIBLE)

    def run(self, result=None):
        result = result or self.defaultTestResult()
        self.processes = []
        with tempfile.TemporaryDirectory(prefix="adit-lab-") as directory:
            self.directory = pathlib.Path(directory)
            self.directory.chmod(0o755)
            problems = len(result.failures) + len(result.errors)
            super().run(result)
            if len(result.failures) + len(result.errors) > problems:
                for process in self.processes:
                    print(f"\n---- {' '.join(process.words)}\n{process.log()}", file=sys.stderr)
        return result

    def node(self, name):
        node = Node(name, self.directory)
        self.addCleanup(run, "ip", "netns", "del", name, check=True)
        return node

    def keep(self, process):
        """Ends the process with the test."""
        self.processes.append(process)
        self.addCleanup(process.finish)
        return process
