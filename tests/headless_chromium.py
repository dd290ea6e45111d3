"""A headless Chromium for tests, spoken to through a pair of pipes; needs no package.

Chromium reads DevTools messages from file descriptor 3 and answers on 4, each message ended by a
zero byte.
"""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PATIENCE = 60.0


def executable():
    """Gives the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """One browser with one tab, in a new profile below `folder`."""

    def __init__(self, folder):
        to_browser, from_browser = folder / "to_browser", folder / "from_browser"
        os.mkfifo(to_browser)
        os.mkfifo(from_browser)
        # The shell opens the pipes under the two numbers that Chromium expects.
        script = 'to="$1"; from="$2"; shift 2; exec "$@" 3<"$to" 4>"$from"'
        command = [executable(), *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        self._process = subprocess.Popen(
            ["sh", "-c", script, "sh", str(to_browser), str(from_browser), *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._to = os.open(to_browser, os.O_WRONLY)
        self._from = os.open(from_browser, os.O_RDONLY)
        self._buffer = b""
        self._ids = itertools.count(1)
        self._events = []
        self._session = None
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")

    def open(self, url, *, width, scheme="light"):
        """Opens a page in a window of `width` CSS pixels and waits until it has loaded."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._ask("Emulation.setEmulatedMedia", features=[feature])
        self._events.clear()
        self._ask("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._events.append(self._next())
        # An answer to this comes after every message that the page has caused so far.
        self.value("new Promise(done => setTimeout(done, 50))")

    def errors(self):
        """Gives the texts of console errors, exceptions and browser messages of level error."""
        found = []
        for event in self._events:
            given = event["params"]
            if event["method"] == "Log.entryAdded" and given["entry"]["level"] == "error":
                found.append(given["entry"]["text"])
            if event["method"] == "Runtime.exceptionThrown":
                found.append(given["exceptionDetails"]["text"])
            if event["method"] == "Runtime.consoleAPICalled" and given["type"] == "error":
                found.append(" ".join(str(part.get("value")) for part in given["args"]))
        return found

    def requests(self):
        """Gives the addresses that the page asked for, those that hold their data left out."""
        addresses = [
            event["params"]["request"]["url"]
            for event in self._events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [address for address in addresses if not address.startswith("data:")]

    def value(self, expression):
        """Gives the value of a JavaScript expression in the page."""
        answer = self._ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        return answer["result"].get("value")

    def screenshot(self, path):
        """Writes a picture of the whole page."""
        answer = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def close(self):
        """Ends the browser."""
        os.close(self._to)
        os.close(self._from)
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)

    def _ask(self, method, **parameters):
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                break
            if "method" in answer:
                self._events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _next(self):
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0.0, end - time.monotonic()))
            chunk = os.read(self._from, 1 << 20) if ready else b""
            if not chunk:
                raise RuntimeError(f"Chromium said nothing for {PATIENCE:g} s or ended")
            self._buffer += chunk
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)
