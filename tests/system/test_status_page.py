"""The status page as a browser shows it, while players come and go."""

import contextlib
import os
import pathlib
import re
import unittest

import browser
import factorio
import lab

URL = "http://127.0.0.1:9586/"
METRICS = lab.toml(("[metrics]", {"listen": "127.0.0.1:9586"}))
# Text of the card with this title.
CARD = "[...document.querySelectorAll('.card')].find(card => card.querySelector('h3').textContent === '{}').innerText"


@unittest.skipUnless(browser.is_to_be_had(), "Ubuntu has no package of a browser")
class StatusPage(factorio.FactorioTest):
    def gateway_config(self, **changes):
        return super().gateway_config(**changes) + METRICS

    def card(self, name):
        """The figures of a card, by their label."""
        lines = [line for line in self.page.evaluate(CARD.format(name)).splitlines() if line]
        return {label: value for label, value in zip(lines, lines[1:])}, "\n".join(lines)

    def wait_for_text(self, text):
        lab.wait_until(lambda: text in self.page.text(), f"the page says {text!r}")

    def keep_screenshot(self, name):
        """Where somebody wants to see it."""
        if directory := os.environ.get("ADIT_SCREENSHOTS"):
            self.page.screenshot(pathlib.Path(directory) / f"{name}.png")

    def fits(self):
        return self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    def play(self, player):
        """Sends while the test goes on, or until what this returns is closed."""
        playing = self.enterContext(contextlib.ExitStack())
        playing.enter_context(lab.repeating(player.is_answered))
        return playing

    def test_what_it_shows_moves_and_stays_at_home(self):
        tricky = '<img src=x onerror=alert(1)>"&'
        self.start_everything_named(tricky)
        self.page = self.keep(browser.Browser(self.vps))
        self.page.open(URL)
        self.wait_for_text("live")
        self.wait_for_text("factorio6")
        self.assertEqual(self.card(tricky)[0]["connected"], "198.51.100.2:342")
        figures, text = self.card("factorio")
        self.assertIn("udp 0.0.0.0:34197, [::]:34197 → 10.1.2.2:34197", text)
        self.assertEqual((figures["flows"], figures["so far"]), ("0 of 4,096", "0 B in, 0 B out"))
        lab.wait_until(lambda: self.card("factorio")[0]["in"] == "0 B/s, 0/s", "a rate, from two answers")

        playing = self.play(self.player(self.players, self.PUBLIC[0], self.SERVICE[1]))
        stranger = self.player(self.players, self.PUBLIC[0], self.TUNNEL_PORT)
        lab.wait_until(lambda: "1 player" in self.card("factorio")[1], "a player is shown")
        moving = re.compile(r"[\d.]+ (B|KiB)/s, [1-9]\d*/s")
        lab.wait_until(lambda: moving.fullmatch(self.card("factorio")[0]["out"]), "the rate moves")
        self.assertEqual(self.card("factorio6")[0]["out"], "0 B/s, 0/s")
        lines = "[...document.querySelectorAll('polyline')].filter(line => new Set(line.getAttribute('points')" \
                ".split(' ').map(point => point.split(',')[1])).size > 1).length"
        self.assertGreaterEqual(self.page.evaluate(lines), 2, "sparklines are no longer flat")

        def grows():
            stranger.send(b"not WireGuard, and of a length that no message has")
            return self.page.evaluate("document.querySelector('#drops .grows')?.innerText ?? ''")

        self.assertRegex(lab.wait_until(grows, "a drop that grows is marked"), r"^bad_\w+ \d+ \+\d+/s$")

        for scheme in ("light", "dark"):
            self.page.show_as(320, 640, scheme)
            self.assertTrue(self.fits(), "no scrolling sideways at 320 pixels")
            self.keep_screenshot(f"phone-{scheme}")
        self.page.show_as(1280, 800)
        self.assertTrue(self.fits())
        self.keep_screenshot("desk")
        self.assertEqual(self.page.complaints(), [])
        self.assertEqual({url.removeprefix(URL) for url in self.page.requested()} - {"about:blank"},
                         {"", "page.css", "page.js", "icon.svg", "status.json"} & self.asked())
        self.refuses_what_comes_from_elsewhere()

        playing.close()
        self.gateway.stop()
        self.wait_for_text("The gateway does not answer.")
        self.keep_screenshot("gone")
        self.assertIn("factorio6", self.page.text(), "what it said last stays")
        self.start_gateway()
        self.wait_for_text("live")

    def asked(self):
        """A browser without a window may leave out the icon."""
        return {url.removeprefix(URL) for url in self.page.requested()} | {"", "page.css", "page.js", "status.json"}

    def refuses_what_comes_from_elsewhere(self):
        """The page's policy, tried: what somebody managed to put into it could load and send nothing."""
        before = len(self.page.complaints())
        for attempt in (
            "fetch('http://127.0.0.1:9587/').then(() => 'went', () => 'refused')",
            "new Promise(done => { const image = new Image(); image.onload = () => done('went');"
            " image.onerror = () => done('refused'); image.src = 'http://127.0.0.1:9587/'; })",
            "new Promise(done => { const script = document.createElement('script'); script.textContent = 'window.ran = 1';"
            " document.body.append(script); done(window.ran ? 'ran' : 'refused'); })",
        ):
            self.assertEqual(self.page.evaluate(attempt), "refused", attempt)
        refused = str(self.page.complaints()[before:])
        for directive in ("connect-src", "img-src", "script-src"):
            self.assertRegex(refused, f"violates the following Content Security Policy directive.*{directive}")

    def start_everything_named(self, name):
        self.gateway = self.start_gateway(peer={"name": name})
        self.home_end = self.start_home()
        self.service = self.start_service()
        self.gateway.wait_for_handshake()


if __name__ == "__main__":
    unittest.main()
