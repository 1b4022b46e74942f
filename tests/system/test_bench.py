"""`adit bench`: that it measures and how it tells, never how fast anything is."""

import json
import os
import pathlib
import signal
import tempfile
import unittest
from xml.etree import ElementTree

import lab

PATIENCE = 170  # seconds; a program with sanitizers forwards little, but climbs as often


def bench(*words, **options):
    return lab.run(lab.ADIT, "bench", *words, timeout=PATIENCE, **options)


def processes():
    """All that run, but for those that come and go: the threads of the kernel and this test's own children."""
    return {path.name for path in pathlib.Path("/proc").iterdir() if path.name.isdigit()}


class BenchTest(lab.LabTest):
    def expect_spread(self, spread, rounds):
        self.assertEqual(list(spread), ["median", "lowest", "highest", "rounds"])
        self.assertEqual(len(spread["rounds"]), rounds)
        self.assertGreater(spread["lowest"], 0)
        self.assertLessEqual(spread["lowest"], spread["median"])
        self.assertLessEqual(spread["median"], spread["highest"])
        self.assertEqual((min(spread["rounds"]), max(spread["rounds"])), (spread["lowest"], spread["highest"]))

    def expect_figure(self, figure, contestants, rounds):
        self.assertIn(figure["better"], ("more", "less"))
        self.assertTrue(figure["name"] and figure["unit"])
        self.assertEqual(list(figure["of"]), contestants)
        for spread in figure["of"].values():
            self.expect_spread(spread, rounds)
        self.assertEqual(list(figure.get("ratios", [])), contestants[:-1])
        for name, spread in figure.get("ratios", {}).items():
            self.expect_spread(spread, rounds)
            ours, theirs = figure["of"][name]["rounds"], figure["of"][contestants[-1]]["rounds"]
            self.assertAlmostEqual(spread["rounds"][0], ours[0] / theirs[0])

    def measure(self, name, *words):
        result = bench(name, "--json", *words)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        told = json.loads(result.stdout)
        self.assertEqual(told["bench"], name)
        self.assertRegex(told["version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(told["machine"]["processors"], os.cpu_count())
        self.assertTrue(told["machine"]["processor"] and told["machine"]["system"])
        return told


    def expect_drawing(self, file, told):
        """A bar for each contestant of each figure, in proportion, within the picture."""
        picture = ElementTree.parse(file).getroot()
        svg = "{http://www.w3.org/2000/svg}"
        texts = [each.text for each in picture.iter(svg + "text")]
        bars = [float(each.get("width")) for each in picture.iter(svg + "rect") if each.get("class") != "page"]
        for figure in told["figures"].values():
            self.assertTrue(any(text.startswith(f"{figure['name']}, {figure['unit']}") for text in texts), texts)
            shown, bars = bars[: len(figure["of"])], bars[len(figure["of"]) :]
            medians = [spread["median"] for spread in figure["of"].values()]
            for bar, median in zip(shown, medians, strict=True):
                self.assertAlmostEqual(bar / max(shown), median / max(medians), delta=0.02)
        self.assertEqual(bars, [])
        for each in picture.iter(svg + "line"):
            self.assertLessEqual(float(each.get("x2")), float(picture.get("width")))


class Crypto(BenchTest):
    def test_says_before_it_measures_that_there_is_nowhere_to_draw(self):
        result = bench("crypto", "--svg", "/nowhere/x.svg")
        self.assertEqual((result.returncode, result.stderr), (lab.EXIT_FAILED, "adit: write /nowhere/x.svg: No such file or directory\n"))

    def test_measures_every_implementation_beside_libsodium(self):
        with tempfile.TemporaryDirectory() as directory:
            drawing = pathlib.Path(directory) / "crypto.svg"
            told = self.measure("crypto", "--seconds", "1", "--svg", drawing)
            self.expect_drawing(drawing, told)
        names = list(told["figures"]["seal_1420_by_16"]["of"])
        self.assertEqual(names[-1], "sodium")
        self.assertEqual(told["in_use"], names[0])
        self.assertEqual(
            set(told["figures"]),
            {f"{what}_{size}_by_{count}" for what in ("seal", "open") for size in (64, 512, 1420) for count in (1, 16)},
        )
        self.assertGreaterEqual(told["rounds"], 5)
        for figure in told["figures"].values():
            self.expect_figure(figure, names, told["rounds"])
        self.expect_spread(told["handshakes_per_second"], told["rounds"])

    def test_names_the_implementation_that_the_environment_has_chosen(self):
        result = bench("crypto", "--seconds", "1", environment={"ADIT_AEAD": "sodium"})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"(?m)^in use +sodium\b")
        self.assertRegex(result.stdout, r"(?m)^seal 1420 B, 16 at once +Gbit/s +[\d.]+ \([\d.]+-[\d.]+\)")
        self.assertRegex(result.stdout, r"(?m)^handshakes +\d")


class Places(BenchTest):
    """What needs network namespaces."""

    TUNNEL = {
        "tcp", "tcp_processor_time", "tcp_resident", "udp64", "round_trip", "round_trip_p99", "loaded_round_trip",
        "loaded_round_trip_p99",
    }

    def setUp(self):
        self.before = self.everything()

    def everything(self):
        return [lab.run("ip", *words, check=True).stdout for words in (["netns", "list"], ["-o", "link"])] + [processes()]

    def expect_nothing_left(self):
        lab.wait_until(lambda: self.everything() == self.before, "nothing is left")

    def test_a_tunnel_of_adit_alone_is_measured(self):
        told = self.measure("tunnel", "--seconds", "1", "--rounds", "1")
        self.assertEqual((told["rounds"], told["seconds"]), (1, 1))
        self.assertEqual(set(told["figures"]), self.TUNNEL)
        for figure in told["figures"].values():
            self.expect_figure(figure, ["adit"], 1)
        self.expect_nothing_left()

    def test_a_tunnel_is_measured_beside_another_programs(self):
        told = self.measure("tunnel", "--seconds", "1", "--rounds", "1", "--against", "wireguard-go")
        self.assertEqual(set(told["figures"]), self.TUNNEL)
        for figure in told["figures"].values():
            self.expect_figure(figure, ["adit", "wireguard-go"], 1)
        self.expect_nothing_left()

    def test_people_read_a_table_with_ratios(self):
        result = bench("tunnel", "--seconds", "1", "--rounds", "1", "--against", lab.ADIT)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"(?m)^ +adit +other adit +adit/other adit$")
        self.assertRegex(result.stdout, r"(?m)^TCP, 1 flow +Gbit/s( +[\d.]+){3}$")

    def test_forwards_are_measured(self):
        told = self.measure("forward", "--seconds", "1")
        self.assertEqual(set(told["figures"]), {"rate", "round_trip", "round_trip_p99", "processor_time"})
        self.assertEqual(told["players"], 32)
        rates = told["figures"]["rate"]
        self.expect_figure(rates, ["adit"], 3)
        self.assertEqual(told["half_rate"], rates["of"]["adit"]["median"] / 2)
        carried = {step["wanted_per_second"] for step in told["steps"] if step["back"] >= 0.99 * step["sent"]}
        self.assertLessEqual(set(rates["of"]["adit"]["rounds"]), carried)
        for name in ("round_trip", "round_trip_p99", "processor_time"):
            self.expect_figure(told["figures"][name], ["adit"], 5)
        self.expect_nothing_left()

    def test_that_are_interrupted_leave_nothing_behind(self):
        for words in (["tunnel", "--rounds", "9"], ["forward"]):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(words=words, number=number):
                    log = self.directory / "bench.log"
                    process = self.keep(lab.Process([lab.ADIT, "bench", *words], log))
                    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
                    lab.wait_until(lambda: len(children.read_text().split()) == 2, "two ends of a tunnel")
                    self.assertEqual(process.stop(number), lab.EXIT_FAILED)
                    self.assertEqual(process.log(), "adit: interrupted\n")
                    self.expect_nothing_left()

    def test_say_what_is_wrong_with_the_other_program(self):
        dying = self.directory / "dying"
        dying.write_text("#!/bin/sh\necho no tunnel today\nexit 3\n")
        dying.chmod(0o755)
        for program, said in (
            ("/nowhere/wireguard", r"^adit: bench tunnel: --against /nowhere/wireguard: there is no such program\n$"),
            ("no-such-program", r"^adit: bench tunnel: --against no-such-program: there is no such program\n$"),
            (str(dying), r"^adit: .*dying ended\. Its log:\nno tunnel today\n"),
        ):
            with self.subTest(program=program):
                result = bench("tunnel", "--seconds", "1", "--rounds", "1", "--against", program)
                self.assertEqual((result.returncode, result.stdout), (lab.EXIT_FAILED, ""))
                self.assertRegex(result.stderr, said)
                self.expect_nothing_left()

    def test_say_what_is_not_permitted(self):
        limited = ["unshare", "--user", "--map-root-user", "sh", "-c", 'echo 0 >/proc/sys/user/max_net_namespaces; "$@"', "-"]
        result = lab.run(*limited, lab.ADIT, "bench", "tunnel")
        self.assertEqual((result.returncode, result.stdout), (lab.EXIT_FAILED, ""))
        self.assertRegex(result.stderr, r"(?m)^adit: .*namespace.*\(run as root")


class Usage(unittest.TestCase):
    def test_help_of_each_has_an_example(self):
        for name in ("crypto", "tunnel", "forward"):
            with self.subTest(name=name):
                result = bench(name, "--help")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertRegex(result.stdout, rf"Example: +adit bench {name}")

    def test_what_nobody_knows_is_wrong_usage(self):
        for words in (
            [], ["dig"], ["crypto", "--rounds", "5"], ["crypto", "--seconds", "0"], ["tunnel", "--seconds", "x"],
            ["tunnel", "--rounds", "0"], ["tunnel", "--against"], ["forward", "--against", "wireguard-go"],
        ):
            with self.subTest(words=words):
                result = bench(*words)
                self.assertEqual((result.returncode, result.stdout), (lab.EXIT_USAGE, ""))
                self.assertNotEqual(result.stderr, "")


if __name__ == "__main__":
    unittest.main()
