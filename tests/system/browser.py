"""A browser without a window, spoken to by the DevTools protocol over a pipe."""

import base64
import itertools
import json
import os
import platform
import select
import shutil
import time

import lab

PROGRAM = "chromium-headless-shell"


def is_to_be_had():
    """Everywhere but on Ubuntu, which has browsers as snaps only: what is missing elsewhere was not installed."""
    return shutil.which(PROGRAM) or platform.freedesktop_os_release()["ID"] != "ubuntu"


class Browser(lab.Process):
    """Chromium on a node, with one page.  What the page logs and loads is kept."""

    def __init__(self, node, width=320, height=640):
        to_read, self.to_write = os.pipe()
        self.to_hear, to_answer = os.pipe()
        self.numbers, self.unread, self.events, self.session = itertools.count(1), b"", [], None
        # It takes the pipe as its descriptors 3 and 4; the shell's own redirections know only single digits.
        copies = f"exec 3<&- 4<&-; exec \"$@\" 3</proc/self/fd/{to_read} 4>/proc/self/fd/{to_answer}"
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
                   f"--user-data-dir={node.directory}/browser", f"--window-size={width},{height}", "about:blank"]
        for descriptor in (to_read, to_answer):
            os.set_inheritable(descriptor, True)
        super().__init__(node.command("sh", "-c", copies, "sh", PROGRAM, *options), node.directory / "browser.log",
                         {"HOME": str(node.directory)}, pass_fds=(to_read, to_answer))
        for descriptor in (to_read, to_answer):
            os.close(descriptor)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.show_as(width, height)

    def finish(self):
        for descriptor in (self.to_write, self.to_hear):
            os.close(descriptor)
        super().finish()

    def ask(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 2 * lab.GENEROUS
        while True:
            answer = self._hear(deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _hear(self, deadline):
        while b"\0" not in self.unread:
            if not select.select([self.to_hear], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"the browser does not answer:\n{self.log()}")
            if not (more := os.read(self.to_hear, 65536)):
                raise AssertionError(f"the browser has ended:\n{self.log()}")
            self.unread += more
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def show_as(self, width, height, scheme="light"):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        self.ask("Page.navigate", url=url)

    def evaluate(self, expression):
        """What JavaScript says, as a value."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def text(self):
        return self.evaluate("document.body?.innerText ?? ''")

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

    def complaints(self):
        """What the page and the browser have logged, exceptions among it."""
        self.evaluate("0")  # everything that came before has been heard
        said = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [event["params"] for event in self.events if event.get("method") in said]

    def requested(self):
        """The addresses that were asked for."""
        self.evaluate("0")
        asked = [event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return {each["request"]["url"] for each in asked}
