"""What shells offer is what `adit --help` names, for each of its commands."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import lab

COMPLETIONS = lab.ROOT / "completions"
BIN = str(pathlib.Path(lab.ADIT).resolve().parent)


def part(text, title):
    """Of a text of --help, the first words of a part's entries."""
    lines = re.search(rf"(?ims)^{title}:\n(.*?)(?:^\S|\Z)", text)
    return [line.split()[0] for line in re.findall(r"(?m)^  (?=\S)(.*)$", lines[1])] if lines else []


def commands(words=()):
    """Every command with the options and the commands below it, by --help."""
    text = lab.run(lab.ADIT, *words, "--help", check=True).stdout
    options = set(re.findall(r"--[a-z0-9-]+", " ".join(part(text, "Options"))))
    below = part(text, "Subcommands")
    yield words, options, set(below)
    for command in below:
        yield from commands((*words, command))


def ask(shell, script, lines):
    """What a shell's script answers for each of several command lines, whose words are apart by spaces."""
    with tempfile.TemporaryDirectory() as directory:
        for name in ("wg1.sock", "wg0.sock", "wg0.state"):
            (pathlib.Path(directory) / name).touch()
        (pathlib.Path(directory) / "a-file.toml").touch()
        environment = os.environ | lab.SANITIZERS | {
            "PATH": f"{BIN}:{os.environ['PATH']}", "ADIT_RUN_DIR": directory, "HOME": directory, "TERM": "dumb"}
        result = subprocess.run([shell, *script, *lines], cwd=directory, env=environment, capture_output=True,
                                text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, ""), result
    answers = result.stdout.split("====\n")[1:]
    assert len(answers) == len(lines), result.stdout
    return {line: set(answer.split("\n")) - {""} for line, answer in zip(lines, answers)}


# Each prints, for each of its arguments, a line of "====" and what it offers.
BASH = ["--norc", "-c", f"""
source {COMPLETIONS}/adit.bash
compopt() {{ COMPREPLY=(:files); }}  # which it otherwise is only while a person types
for line in "$@"; do
  echo ====
  mapfile -d ' ' -t COMP_WORDS < <(printf '%s ' "$line")
  COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
  $(complete -p adit | sed 's/.*-F \\([^ ]*\\) .*/\\1/') adit
  printf '%s\\n' "${{COMPREPLY[@]}}"
done""", "bash"]
ZSH = ["-f", "-c", f"""
_call_program() {{ shift; eval "$@"; }}
_files() {{ echo :files; }}
_describe() {{ print -l -- "${{(@)${{(P)4}}%%:*}}"; }}
for line in "$@"; do
  echo "===="
  words=("${{(@s: :)line}}")
  CURRENT=${{#words}}
  (source {COMPLETIONS}/_adit)
done; true""", "zsh"]
FISH = ["--no-config", "-c", f"""
source {COMPLETIONS}/adit.fish
for line in $argv
    echo ====
    complete -C $line | string replace -r '\\t.*' ''
end; true"""]
SHELLS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.commands = list(commands())

    def test_offers_the_commands_and_options_that_help_names(self):
        self.assertGreater(len(self.commands), 10)
        expected = {}
        for words, options, below in self.commands:
            line = " ".join(("adit", *words))
            expected[f"{line} --"] = options
            if below:
                expected[f"{line} "] = below
        for shell, script in SHELLS.items():
            with self.subTest(shell=shell):
                self.assertEqual(ask(shell, script, list(expected)), expected)

    def test_offers_what_may_follow(self):
        expected = {
            "adit sho": {"show"},
            "adit bench t": {"tunnel"},
            "adit show --json --home": {"--home-routes"},
            "adit run --log-level ": {"debug", "info", "warning", "error", "silent"},
            "adit run -c x --log-level wa": {"warning"},
            "adit demo --home wire": {"wireguard-go"},
            "adit show ": {"wg0", "wg1"},
            "adit reload --help wg1": {"wg1"},
            "adit show wg0 ": set(),
            "adit genkey ": set(),
            "adit bench tunnel --rounds ": set(),
            "adit no such ": set(),
        }
        for shell, script in SHELLS.items():
            with self.subTest(shell=shell):
                self.assertEqual(ask(shell, script, list(expected)), expected)

    def test_leaves_names_of_files_to_the_shell(self):
        line = "adit check --config a-"
        self.assertEqual(ask("bash", BASH, [line])[line], {":files"})
        self.assertEqual(ask("zsh", ZSH, [line])[line], {":files"})
        self.assertEqual(ask("fish", FISH, [line])[line], {"a-file.toml"})


if __name__ == "__main__":
    unittest.main()
