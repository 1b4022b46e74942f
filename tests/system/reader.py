"""The machines of somebody who follows the documents: a shell and files of their own, beside everybody on one wire."""

import contextlib
import os
import re
import signal
import subprocess

import documents
import lab

# What a reader's machine has, and these have not.  "adit" is root by another name: what it may do, others test.
STUBS = {
    "sudo": 'exec env "$@"',
    "systemctl": """
case "$*" in
"enable --now wg-quick@"*) exec wg-quick up "${3#*@}" ;;
"enable --now adit") words=$(sed -n 's/^ExecStart=//p' "$UNIT") ;;
"stop adit") pid=$(cat "$HOME/pid"); kill "$pid"; while [ -e "/proc/$pid/exe" ]; do sleep 0.05; done; exit ;;
*) echo "systemctl $*: not known here" >&2; exit 2 ;;
esac
words=$(echo "$words" | sed 's,@ADIT_PROGRAM@,adit,; s,@ADIT_PROFILE@,adit,')
: >"$HOME/journal"
setsid $words </dev/null >"$HOME/journal" 2>&1 &
echo $! >"$HOME/pid"
until grep -q ' ready: ' "$HOME/journal" || ! kill -0 $! 2>/dev/null; do sleep 0.05; done
grep -q ' ready: ' "$HOME/journal" || { cat "$HOME/journal"; exit 1; }
""",
    "scp": """
source=$2; host=${source%%:*}; host=${host#*@}
for machine in "$HOME"/../*; do
  if grep -qsx "$host" "$machine/addresses"; then exec cp -r "$machine${source#*:}" "$3"; fi
done
echo "scp $*: who is $host?" >&2; exit 1
""",
}
MACHINES = {
    "vps": ("203.0.113.1", "2001:db8:1::1"),
    "second": ("203.0.113.2", "2001:db8:1::2"),
    "home": ("198.51.100.2", "2001:db8:2::2"),
    "player": ("192.0.2.10", "2001:db8:3::10"),
}
# What programs need of it; the rest is the reader's.
OF_ETC = ("alternatives", "group", "iproute2", "ld.so.cache", "nsswitch.conf", "passwd", "protocols", "services")
# A machine's own folders, in the mounts of one shell.
OWN = """
set -e
mount --bind "$HOME/etc" /etc
mkdir -p /run/wireguard "$HOME/wireguard"
mount --bind "$HOME/wireguard" /run/wireguard
cd "$HOME"
set +e
exec sh
"""


class Machine:
    """A node of its own /etc, and a shell that stays: what a reader sees in one terminal."""

    def __init__(self, test, name):
        self.node = test.on_the_internet(name)
        self.home = self.node.directory
        (self.home / "addresses").write_text("".join(address + "\n" for address in MACHINES[name]))
        (self.home / "etc/wireguard").mkdir(parents=True)
        found = [path for path in (f"/etc/{name}" for name in OF_ETC) if os.path.exists(path)]
        subprocess.run(["cp", "-r", "--no-dereference", *found, self.home / "etc"], check=True)
        with (self.home / "etc/passwd").open("a") as users:
            users.write("adit:x:0:0::/nonexistent:/usr/sbin/nologin\n")
        (self.home / "etc/hosts").write_text("".join(f"{address} vps.example.org\n" for address in MACHINES["vps"]))
        for folder in ("docs", "examples"):  # of the checkout that readers are in
            (self.home / folder).symlink_to(documents.ROOT / folder)
        programs = self.home / "programs"
        programs.mkdir()
        (programs / "adit").symlink_to(lab.ADIT)
        for stub, text in STUBS.items():
            (programs / stub).write_text(f"#!/bin/sh\n{text}\n")
            (programs / stub).chmod(0o755)
        environment = {"HOME": str(self.home), "TMPDIR": str(self.home), "PATH": f"{programs}:{os.environ['PATH']}",
                       "UNIT": str(documents.ROOT / "systemd/adit.service.in")}
        self.said = 0
        self.output = self.home / "terminal"
        with self.output.open("wb") as output:
            self.shell = subprocess.Popen(self.node.command("sh", "-c", OWN), stdin=subprocess.PIPE, stdout=output,
                                          stderr=output, env=os.environ | lab.SANITIZERS | environment)
        test.addCleanup(self.finish)

    def type(self, command):
        """Runs it; returns what it said and its exit status."""
        self.shell.stdin.write(f"{{ {command}\n}} </dev/null\necho \"[$?]\"\n".encode())
        self.shell.stdin.flush()
        ended = re.compile(r"(.*?)\[(\d+)\]\n\Z", re.S)
        try:
            match = lab.wait_until(lambda: ended.match(self.new_output()), f"{command} ends", 60)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said:\n{self.new_output()}") from None
        self.said += len(match[0].encode())
        return match[1], int(match[2])

    def new_output(self):
        return self.output.read_bytes()[self.said :].decode()

    def write(self, path, text):
        target = self.home / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o600)  # there may be a key in it

    def pids(self):
        return [int(pid) for pid in lab.run("ip", "netns", "pids", self.node.name, check=True).stdout.split()]

    def finish(self):
        """Ends what the reader left running, too."""
        self.shell.stdin.close()
        for pid in self.pids():
            if pid != self.shell.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        self.shell.wait(lab.GENEROUS)
        lab.wait_until(lambda: not self.pids(), f"{self.node.name} is at rest")
        for log in self.home.glob("*"):
            if log.is_file() and any(report in log.read_text(errors="replace") for report in lab.SANITIZER_REPORTS):
                raise AssertionError(log.read_text(errors="replace"))
