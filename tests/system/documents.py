"""Documents as their readers follow them: blocks of code, and what a comment before each says to do with it.

    <!-- run: vps -->            its commands are run there, in the order of the document.  If lines begin with "$ ",
                                 these are the commands, and below each is what it says; else every line is one.
    <!-- run: vps, exits 78 -->  the last of them fails so
    <!-- output -->              what the block before said
    <!-- file: vps /a/path -->   is written there
    <!-- adds: vps /a/path -->   is added to what is there
    <!-- not run: why -->        commands that need something else; their words are checked
    <!-- shown: why -->          no commands: a drawing, a file of another program, an output nobody can repeat
    <!-- part -->                lines of a configuration, in TOML; checked within a whole one

and comments that stand for what the document's reader has or does:

    <!-- machines -->            new ones from here on: namespaces called vps, second, home and player
    <!-- service: udp/34197 -->  the reader's game runs at home
    <!-- first: vps a command --> the reader has done what the text before says in words
    <!-- play: udp/34197 -->     a player's datagrams come back, from every gateway there is, over IPv4 and IPv6
    <!-- play: udp/34197 at second -->   from this one

In what is said, "..." is any number of lines, and what differs from time to time need not be the same: see `plain`.
"""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLLOWED = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

WHEN_PART = "part"  # what TOML without a mark is
OF_BLOCKS = ("run", "output", "file", "adds", "not run", "shown", WHEN_PART)
OF_READERS = ("machines", "service", "first", "play")
MARK = re.compile(r"<!-- ([a-z ]+?)(?:: (.+?))? -->")


@dataclasses.dataclass
class Step:
    """A block of code with its mark, or a mark that needs none."""

    verb: str
    about: str
    line: int
    language: str = ""
    text: str = ""

    def commands(self):
        """Pairs of a command and the lines it should print, None where the document does not say."""
        lines = self.text.splitlines()
        if not any(line.startswith("$ ") for line in lines):
            return [(command, None) for command in whole_commands(lines)]
        found = []
        for line in lines:
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
        return [(command, said or None) for command, said in found]


def whole_commands(lines):
    """Lines that end in a backslash go on in the next; comments and empty lines are none."""
    text = "\n".join(lines).replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def blocks(lines):
    """Yields (line number, language, text) of code and (line number, None, mark) of comments, in order."""
    at = 0
    while at < len(lines):
        start, line = at, lines[at]
        at += 1
        if line.startswith("```"):
            while lines[at] != "```":
                at += 1
            at += 1
            yield start + 1, line[3:], "\n".join(lines[start + 1 : at - 1]) + "\n"
        elif line.startswith("    ") and (not lines[start - 1].strip() or MARK.fullmatch(lines[start - 1])):
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
                at += 1
            yield start + 1, "", "\n".join(each[4:] for each in lines[start:at]).rstrip() + "\n"
        elif line.startswith("<!--"):
            yield start + 1, None, line


def steps(document):
    """What the document asks for, in order.  Raises ValueError where a block says nothing, or not what is known."""
    found, mark = [], None
    for number, language, text in blocks(document.read_text().splitlines()):
        where = f"{document.name}:{number}"
        if language is None:
            if mark or not (match := MARK.fullmatch(text)) or match[1] not in OF_BLOCKS + OF_READERS:
                raise ValueError(f"{where}: not understood: {text}")
            step = Step(match[1], match[2] or "", number)
            if step.verb in OF_BLOCKS:
                mark = step
            else:
                found.append(step)
            continue
        if mark is None and language == "toml":
            mark = Step(WHEN_PART, "", number)
        if mark is None:
            raise ValueError(f"{where}: does this run? Say so before it, such as <!-- run: vps -->")
        mark.line, mark.language, mark.text = number, language, text
        found.append(mark)
        mark = None
    return found


# ---- what differs from time to time

PLAIN = [
    (r"\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d", "TIME"),
    (r"[A-Za-z0-9+/]{43}=", "KEY"),
    (r"\b10\.\d+\.\d+\.(\d+)\b", r"10.x.x.\1"),
    (r"\bfd[0-9a-f:]+::(\d*)", r"fdxx::\1"),
    (r"(198\.51\.100\.2|\[2001:db8:2::2\]):\d+", r"\1:PORT"),
    (r"\d+(?:\.\d+)? (bytes|B|KiB|MiB|second|minute|ms|µs)s?\b", r"N \1"),
    (r"\b\d+ packets?\b", "N packets"),
    (r"_\d[\d.]*-\d+_[a-z0-9]+\.deb", "_VERSION.deb"),
    (r"\.toml:\d+:\d+:", ".toml:LINE:"),
    (r"[ \t]+", " "),
]


def plain(text):
    """The text without what differs from time to time: times, keys, sizes, addresses and ports chosen by chance."""
    for pattern, instead in PLAIN:
        text = re.sub(pattern, instead, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


def says(text, expected):
    """Whether the text is what the expected lines say."""
    lines = plain("\n".join(expected)).splitlines()
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in lines)
    return re.fullmatch(pattern, plain(text) + "\n") is not None


# ---- links


def anchor(heading):
    words = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return words.replace(" ", "-")


def anchors(document):
    text = re.sub(r"(?ms)^```.*?^```$", "", document.read_text())
    return {anchor(heading) for heading in re.findall(r"(?m)^#+ (.+)$", text)}


def dead_links(document):
    """The links within the project that lead nowhere."""
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, part = link.partition("#")
        target = (document.parent / path) if path else document
        if not target.exists() or (part and part not in anchors(target)):
            dead.append(f"{document.relative_to(ROOT)}: {link}")
    return dead
