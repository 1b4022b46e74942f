"""The documents are followed by copy and paste: every block of commands is run, or its words are checked."""

import functools
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import documents
import factorio
import lab
import reader


class Followed(lab.LabTest):
    """One test for each document, added below."""

    def follow(self, document):
        self.machines, self.internet, self.player, self.pending = {}, None, None, []
        self.keys = lab.Keys()
        for step in documents.steps(document):
            try:
                getattr(self, "do_" + step.verb.replace(" ", "_"))(step)
            except Exception as error:  # what follows would fail for this
                raise AssertionError(f"{document.name}:{step.line}: {error}") from error
        self.end_of_story()

    # ---- marks

    def do_machines(self, step):
        self.end_of_story()
        self.doCleanups()
        shutil.rmtree(self.directory)
        self.directory.mkdir(mode=0o755)
        self.machines, self.internet, self.player = {}, None, None

    def do_run(self, step):
        name, _, status = step.about.partition(", exits ")
        for command, expected in step.commands():
            if re.match(r"(sudo )?adit run\b", command):
                self.run_in_front(self.machine(name), command, expected)
                continue
            said, got = self.machine(name).type(command)
            wanted = int(status or 0) if command == step.commands()[-1][0] else 0
            self.assertEqual(got, wanted, f"{command}\n{said}")
            self.expect(said, expected, command)
            self.last = (command, said)

    def do_output(self, step):
        command, said = self.last
        self.expect(said, step.text.splitlines(), command)

    def do_file(self, step):
        name, path = step.about.split()
        self.machine(name).write(path, self.with_keys(step.text))

    def do_adds(self, step):
        name, path = step.about.split()
        file = self.machine(name).home / path.lstrip("/")
        file.write_text(file.read_text() + step.text)

    def do_first(self, step):
        name, _, command = step.about.partition(" ")
        said, status = self.machine(name).type(command)
        self.assertEqual(status, 0, said)

    def do_service(self, step):
        service = factorio.Echo(self.machine("home").node, ("::", self.port(step)))
        self.addCleanup(service.close)

    def do_play(self, step):
        if not self.player:
            self.player = self.on_the_internet("player")
        _, _, only = step.about.partition(" at ")
        gateways = [only] if only else sorted(set(self.machines) & {"vps", "second"})
        self.assertTrue(gateways)
        for gateway in gateways:
            for address in reader.MACHINES[gateway]:
                client = factorio.Player(self.player, address, self.port(step))
                for _ in range(2):  # who has sent to an answer is established
                    lab.wait_until(client.is_answered, f"an answer from {address}")
                client.close()

    def do_nothing(self, step):
        """Checked elsewhere."""

    do_not_run = do_shown = do_part = do_nothing

    # ---- how

    def machine(self, name):
        if name not in self.machines:
            self.machines[name] = reader.Machine(self, name)
        return self.machines[name]

    def on_the_internet(self, name):
        """A node beside all others: one wire, and everybody's addresses are on it."""
        if not self.internet:
            self.internet = self.node("internet")
            self.internet.ip("link", "add", "wire", "type", "bridge")
            self.internet.ip("link", "set", "wire", "up")
        node = self.node(name)
        lab.cable(self.internet, name, node, "eth0")
        self.internet.ip("link", "set", name, "master", "wire")
        node.add_address("eth0", *(f"{address}/{128 if ':' in address else 32}" for address in reader.MACHINES[name]))
        for version in ("-4", "-6"):
            node.ip(version, "route", "add", "default", "dev", "eth0")
        return node

    def run_in_front(self, machine, command, expected):
        """Until the document ends; what it should say by then, other machines may have to do with."""
        log = machine.home / f"front{len(self.pending)}"
        machine.type(f"{command} >{log} 2>&1 &")
        lab.wait_until(lambda: " ready: " in log.read_text(), f"{command} is ready")
        self.pending.append((command, log, expected))
        self.last = (command, "")

    def end_of_story(self):
        for command, log, expected in self.pending:
            if expected is not None:
                lab.wait_until(lambda: documents.says(log.read_text(), [*expected, "..."]), f"{command} says so")
        self.pending = []

    def expect(self, said, expected, command):
        if expected is not None and not documents.says(said, expected):
            self.assertEqual(documents.plain(said), documents.plain("\n".join(expected)), command)

    def port(self, step):
        return int(step.about.split()[0].removeprefix("udp/"))

    def with_keys(self, text):
        """What readers put in the place of "(home's public key)" and the like."""
        if "(the VPS's public key)" in text:
            key = self.machine("vps").type("adit pubkey < /etc/adit/wg0.key")[0].strip()
            text = text.replace("(the VPS's public key)", key)
        text = text.replace("(the VPS's address)", reader.MACHINES["vps"][0])
        text = text.replace("(home's private key)", self.keys.private)
        return text.replace("(home's public key)", self.keys.public)


def test_of(document):
    def test(self):
        verbs = {step.verb for step in documents.steps(document)}
        if "run" in verbs:
            self.assertIn("play", verbs, "until a player is answered")
            self.follow(document)

    return test


for each in documents.FOLLOWED:
    name = re.sub(r"\W", "_", str(each.relative_to(documents.ROOT).with_suffix("")))
    setattr(Followed, f"test_{name}", test_of(each))


# ---- what is not run

INTERFACE = """
[interface]
private_key_file = "wg0.key"
addresses = ["10.1.2.5/24", "fd00:1:2::5/64"]
"""
PEER = """
[[peer]]
name = "home"
public_key = "{public}"
allowed_ips = ["10.1.2.2/32", "fd00:1:2::2/128"]
"""


@functools.cache
def help_of(*command):
    return lab.run(lab.ADIT, *command, "--help", check=True).stdout


class Words(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.own, cls.other = lab.Keys(), lab.Keys()

    def each(self, *verbs):
        for document in documents.FOLLOWED:
            for step in documents.steps(document):
                if step.verb in verbs:
                    yield f"{document.relative_to(documents.ROOT)}:{step.line}", step

    def test_links_within_the_project_lead_somewhere(self):
        names = subprocess.run(["git", "ls-files", "*.md"], cwd=documents.ROOT, capture_output=True, text=True).stdout
        files = [documents.ROOT / name for name in names.split()] or documents.FOLLOWED
        self.assertEqual([link for file in files for link in documents.dead_links(file)], [])

    def test_every_configuration_is_right(self):
        with tempfile.TemporaryDirectory() as folder:
            self.folder = pathlib.Path(folder)
            for name in ("wg0.key", "home.key"):
                (self.folder / name).write_text(self.own.private)
                (self.folder / name).chmod(0o600)
            for where, step in self.each("part", "file", "adds"):
                if step.language == "toml":
                    with self.subTest(where):
                        self.check(step.text)

    def check(self, text):
        text = re.sub(r"\([^)\"]* public key\)", self.other.public, text)
        if re.search(r"(?m)^\[\[?(jail|redirect|tunnel|bridge|host)\b", text):
            command = ["home", "plan", "--root", str(self.folder)]
        else:
            command = ["check"]
            missing = [(INTERFACE, "[interface]"), (PEER.format(public=self.other.public), "[[peer]]")]
            text += "".join(part for part, header in missing if header not in text)
        file = self.folder / "adit.toml"
        file.write_text(text)
        file.chmod(0o600)
        result = lab.run(lab.ADIT, *command, "-c", str(file))
        self.assertEqual(result.returncode, 0, text + result.stdout + result.stderr)

    def test_what_is_not_run_has_words_that_exist(self):
        dev = lab.run(str(documents.ROOT / "dev"), "help").stdout
        for where, step in self.each("not run"):
            with self.subTest(where):
                self.assertTrue(step.about, "why?")
                for command, _ in step.commands():
                    self.assertEqual(lab.run("sh", "-n", text=command).stderr, "")
                    self.check_words(shlex.split(command, comments=True), dev)

    def check_words(self, words, dev):
        words = words[1:] if words[0] == "sudo" else words
        if words[0] == "./dev":
            self.assertRegex(dev, rf"(?m)^  {words[1]}\b")
        if words[0] == "adit" and not words[1].startswith("wg"):
            self.check_options(words[1:])
        for word in words:
            folder = re.match(r"([a-z]\w*)/", word)
            if folder and folder[1] != "build" and (documents.ROOT / folder[1]).exists():
                self.assertTrue((documents.ROOT / word).exists(), word)

    def check_options(self, words):
        """Those of the command that the first words name."""
        command = []
        while "SUBCOMMAND" in help_of(*command).splitlines()[1]:
            self.assertRegex(help_of(*command), rf"(?m)^  {words[len(command)]}\b", words)
            command.append(words[len(command)])
        for option in words:
            if option.startswith("-"):
                self.assertRegex(help_of(*command), rf"(?<![\w-]){option.partition('=')[0]}\b", words)


if __name__ == "__main__":
    unittest.main()
