"""A machine with systemd as its first process, in a throw-away root.

How it works: the root is an overlay of this machine's root, so what is installed here is there, and what changes is kept
in a tmpfs.  Processes, mounts, host name, IPC and control groups are its own; the network is a node's.  Units that have
nothing to do with the tests are taken away, so that it is up in less than a second.
"""

import os
import pathlib
import subprocess
import unittest

import lab

# $1: a directory for root and changes; $2: a name for the control group.
CONTROL_GROUP = """
mkdir "$1/cgroup"
mount -t cgroup2 cgroup2 "$1/cgroup"
mkdir "$1/cgroup/$2"
echo 0 >"$1/cgroup/$2/cgroup.procs"
umount "$1/cgroup"
exec unshare --cgroup sh -euc "$3" sh "$1"
"""
BOOT = """
mount -t overlay -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" overlay "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/net dev/shm dev/pts
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 net/tun:10:200; do
  (IFS=:; set -- $device; mknod -m 666 "dev/$1" c "$2" "$3")
done
rm -rf etc/systemd/system/* etc/systemd/network etc/fstab etc/dpkg/dpkg.cfg.d/* usr/sbin/policy-rc.d
rm -rf lib/systemd/system-generators/* var/log/journal
find lib/systemd/system/ -path '*.wants/*' ! -name 'systemd-journald*' -delete
echo 0123456789abcdef0123456789abcdef >etc/machine-id
mkdir -p old
pivot_root . old
umount -l old
rmdir old
exec env -i container=test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
  /lib/systemd/systemd --system --unit=multi-user.target
"""


class Machine:
    def __init__(self, node, directory):
        self.directory = pathlib.Path(directory) / "machine"
        self.directory.mkdir()
        lab.run("mount", "-t", "tmpfs", "tmpfs", self.directory, check=True)
        for name in ("changes", "work", "root"):
            (self.directory / name).mkdir(mode=0o755)
        self.group = f"adit-test-{os.stat('/proc/self/ns/pid').st_ino}"
        words = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "sh", "-euc", CONTROL_GROUP,
                 "sh", self.directory, self.group, BOOT]
        self.log = self.directory / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(node.command(*words), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_until_up(self):
        lab.wait_until(lambda: self.process.poll() is not None or self._is_up(), "systemd is up")
        if self.process.poll() is not None:
            raise unittest.SkipTest(f"no machine with systemd here: {self.log.read_text()}")

    def _is_up(self):
        children = lab.run("pgrep", "-P", str(self.process.pid)).stdout.split()
        if not children or pathlib.Path(f"/proc/{children[0]}/comm").read_text() != "systemd\n":
            return False
        self.first = children[0]
        return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def run(self, *words, **options):
        """Runs a program on the machine, as root."""
        entry = ["nsenter", "-t", self.first, "-m", "-p", "-n", "-i", "-u", "-C"]
        environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
        return lab.run(*entry, *environment, *map(str, words), **options)

    def changes(self):
        """The files that are not as they are on this machine, or gone, and the directories that are not there."""
        top = self.directory / "changes"
        paths = {path: pathlib.Path("/") / path.relative_to(top) for path in top.rglob("*")}
        return {str(there) for path, there in paths.items()
                if path.is_symlink() or not (path.is_dir() and there.is_dir())}

    def finish(self):
        self.process.kill()  # and with it the machine's first process
        self.process.wait()
        lab.run("umount", "-l", self.directory, check=True)
        lab.wait_until(self._remove_groups, "the control group is empty")

    def _remove_groups(self):
        where = pathlib.Path("/run/cgroup")
        where.mkdir(exist_ok=True)
        lab.run("mount", "-t", "cgroup2", "cgroup2", where, check=True)
        try:
            for group in sorted((where / self.group).rglob("*/"), reverse=True):
                group.rmdir()
            (where / self.group).rmdir()
            return True
        except FileNotFoundError:
            return True
        except OSError:
            return False
        finally:
            lab.run("umount", where, check=True)
