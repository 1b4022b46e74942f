"""Holds rc.d/port to what `cmake --install` installs, and to what FreeBSD's portlint would say of it."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ADIT_BUILD", ROOT / "build/asan"))
PORT = ROOT / "rc.d/port"
MAKEFILE = (PORT / "Makefile").read_text()
SYSTEMDS = ("lib/systemd/", "lib/sysusers.d/")  # not on FreeBSD
SAMPLE = "etc/adit/adit.toml.sample"  # by post-install


def variable(name):
    """As bmake reads it, with an empty bsd.port.mk."""
    with tempfile.TemporaryDirectory() as system:
        (pathlib.Path(system) / "bsd.port.mk").touch()
        words = ["bmake", "-r", "-m", system, "-f", PORT / "Makefile", "-V", name]
        return subprocess.run(words, cwd=PORT, check=True, capture_output=True, text=True).stdout.strip()


def installed():
    with tempfile.TemporaryDirectory() as prefix:
        for component in ([], ["--component", "rc_d"]):
            words = ["cmake", "--install", BUILD, "--prefix", prefix, *component]
            subprocess.run(words, check=True, capture_output=True)
        files = [path for path in pathlib.Path(prefix).rglob("*") if path.is_file()]
        names = {str(path.relative_to(prefix)) for path in files}
        return {name for name in names if not name.startswith(SYSTEMDS)}


def listed():
    files = set()
    for line in (PORT / "pkg-plist").read_text().splitlines():
        files.add(line.replace("%%ETCDIR%%", "etc/adit").removesuffix(".gz"))
    return files | {f"etc/rc.d/{script}" for script in variable("USE_RC_SUBR").split()}


class Files(unittest.TestCase):
    def test_that_the_port_lists_are_those_that_are_installed(self):
        self.assertEqual(listed(), installed() | {SAMPLE})
        self.assertIn(f"${{ETCDIR}}/{pathlib.Path(SAMPLE).name}", MAKEFILE)

    def test_that_cmake_installs_know_their_prefix(self):
        cache = (BUILD / "CMakeCache.txt").read_text()
        prefix = re.search(r"(?m)^CMAKE_INSTALL_PREFIX:PATH=(.*)$", cache)[1]
        for script in variable("USE_RC_SUBR").split():
            text = (BUILD / "rc.d" / script).read_text()
            self.assertNotRegex(text, "%%[A-Z]+%%")
            self.assertIn(f"{prefix}/bin/adit", text)

    def test_of_rc_d_are_the_ones_beside_the_port(self):
        for script in variable("USE_RC_SUBR").split():
            self.assertTrue((PORT / f"files/{script}.in").samefile(ROOT / f"rc.d/{script}.in"))

    def test_to_be_substituted_have_only_words_that_ports_substitute(self):
        known = {"PREFIX", "ETCDIR", "EXAMPLESDIR"}
        for path in [*(PORT / "files").iterdir(), PORT / "pkg-plist"]:
            self.assertLessEqual(set(re.findall(r"%%(\w+)%%", path.read_text())), known, path.name)


class Port(unittest.TestCase):
    def test_is_of_this_version_and_licence(self):
        self.assertIn(f"VERSION {variable('DISTVERSION')} ", (ROOT / "CMakeLists.txt").read_text())
        self.assertEqual(variable("LICENSE"), "ISCL")
        self.assertIn("ISC License", (ROOT / "LICENSE").read_text())

    def test_depends_on_what_dev_installs(self):
        packages = re.search(r"FreeBSD\) echo cmake (.*) ;;", (ROOT / "dev").read_text())[1].split()
        depends = f"{variable('BUILD_DEPENDS')} {variable('LIB_DEPENDS')}"
        for package in set(packages) - {"ninja", "pkgconf"}:  # USES
            self.assertRegex(depends, rf":\w+/{package}\b")

    def test_has_a_comment_of_one_line(self):
        comment = variable("COMMENT")
        self.assertLessEqual(len(comment), 70)
        self.assertRegex(comment, r"^[A-Z](?!n? ).*[^.]$")

    def test_has_a_description_of_a_few_lines(self):
        lines = (PORT / "pkg-descr").read_text().splitlines()
        self.assertLessEqual(len(lines), 24)
        self.assertTrue(all(len(line) <= 80 for line in lines))

    def test_is_written_with_tabs_and_in_the_order_of_the_porters_handbook(self):
        for line in MAKEFILE.splitlines():
            self.assertEqual(line, line.rstrip())
            self.assertNotRegex(line, r"^\w+=(?!\t)|^ ")
        order = ["PORTNAME", "DISTVERSION", "CATEGORIES", "MAINTAINER", "COMMENT", "LICENSE", "LICENSE_FILE",
                 "BUILD_DEPENDS", "LIB_DEPENDS", "USES", "USE_RC_SUBR", "CMAKE_ARGS", "CMAKE_OFF", "SUB_FILES"]
        self.assertEqual(re.findall(r"(?m)^(\w+)=", MAKEFILE), order)

    def test_lists_files_in_order(self):
        lines = [line.split()[-1].replace("%%ETCDIR%%", "etc/adit")
                 for line in (PORT / "pkg-plist").read_text().splitlines()]
        self.assertEqual(lines, sorted(lines))


class Manual(unittest.TestCase):
    def test_pages_have_no_mistakes_that_mandoc_sees(self):
        pages = [ROOT / "man/adit.8", ROOT / "man/adit-home.8", ROOT / "man/adit.toml.5"]
        result = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True)
        self.assertEqual(result.stdout, "")


if __name__ == "__main__":
    unittest.main()
