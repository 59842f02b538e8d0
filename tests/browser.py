"""A real browser without a window: Debian's chromium, or Chrome, spoken to by the DevTools protocol over a pipe.

The protocol's methods: https://chromedevtools.github.io/devtools-protocol/. No name resolves in it, and no address is
asked: a page that reaches for something outside fails, and is seen reaching.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ANSWERS_WITHIN: Final = 120.0
_OPTIONS: Final = (
    "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps",
    "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)  # fmt: skip


class BrowserError(Exception):
    """The browser ended, did not answer, or refused; the text says what was asked."""


class Browser:
    """One process with a fresh profile; `open` gives pages, each with its own size and record of what it asked for."""

    def __init__(self, program: str, directory: Path) -> None:
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        # The browser reads commands from descriptor 3 and answers on 4; neither of ours may be one of those.
        ours = [fcntl.fcntl(one, fcntl.F_DUPFD, 20) for one in (commands, answers)]
        os.close(commands)
        os.close(answers)
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        words = [program, *_OPTIONS, *root, f"--user-data-dir={directory / 'profile'}", "about:blank"]
        self._log = directory / "browser.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f'exec 3<&{ours[0]} 4>&{ours[1]}; exec "$@"', "bash", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=ours,
                start_new_session=True,
                env={**os.environ, "HOME": str(directory)},
            )
        for one in ours:
            os.close(one)
        self._pending = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str = "", **values: Any) -> dict[str, Any]:
        """The result of a method. Raises BrowserError."""
        self._number += 1
        asked: dict[str, Any] = {"id": self._number, "method": method, "params": values}
        if session:
            asked["sessionId"] = session
        said = memoryview(json.dumps(asked).encode() + b"\0")
        while said:
            said = said[os.write(self._write, said) :]
        while True:
            answer = self._next(method)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait(self, method: str, session: str) -> dict[str, Any]:
        """The next event of this name in this page, also one that has come already."""
        while True:
            for at, event in enumerate(self.events):
                if event.get("method") == method and event.get("sessionId") == session:
                    return self.events.pop(at)
            self.events.append(self._next(method))

    def _next(self, why: str) -> dict[str, Any]:
        end = time.monotonic() + _ANSWERS_WITHIN
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
            got = os.read(self._read, 1 << 20) if ready else b""
            if not got:
                said = self._log.read_text(errors="replace")[-2000:]
                raise BrowserError(f"{why}: {'no more answers' if ready else 'no answer in time'}\n{said}")
            self._pending += got
        message, _, self._pending = self._pending.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded

    def open(self, place: Path, *, width: int = 1280, height: int = 900, phone: bool = False) -> Page:
        """The file, loaded, in a window of this size; `phone`: as a phone lays it out."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, target, session)
        for domain in ("Page", "Network", "Log", "Runtime"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        page.go(place)
        return page

    def close(self) -> None:
        """End it; what it had written goes with its directory."""
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)


class Page:
    """A loaded page."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self._browser, self._target, self._session = browser, target, session

    def call(self, method: str, **values: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **values)

    def go(self, place: Path) -> None:
        self.call("Page.navigate", url=place.absolute().as_uri())
        self._browser.wait("Page.loadEventFired", self._session)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript, awaited; the page's policy does not bind the test."""
        said = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            details = said["exceptionDetails"]
            raise BrowserError(str(details.get("exception", {}).get("description") or details.get("text")))
        return said["result"].get("value")

    @property
    def asked_for(self) -> list[str]:
        """Every address that the page has wanted to load, itself included."""
        found = self._of("Network.requestWillBeSent")
        return [one["request"]["url"] for one in found]

    @property
    def complaints(self) -> list[str]:
        """What the browser wrote to the page's console: what the policy stopped, among others."""
        return [one["entry"]["text"] for one in self._of("Log.entryAdded")]

    def _of(self, method: str) -> list[dict[str, Any]]:
        self.evaluate("new Promise(done => setTimeout(done, 0))")  # what the page has begun by now has been told
        events = self._browser.events
        return [one["params"] for one in events if one.get("sessionId") == self._session and one["method"] == method]

    def media(self, name: str) -> None:
        """Lay it out as for `print`, or "" for the screen."""
        self.call("Emulation.setEmulatedMedia", media=name)

    def pdf(self) -> bytes:
        """Printed on A4."""
        said = self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, printBackground=True)
        return base64.b64decode(said["data"])

    def picture(self, whole: bool = False) -> bytes:
        """A PNG of what is in sight, or of the whole page."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)
        events = self._browser.events
        events[:] = [one for one in events if one.get("sessionId") != self._session]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Skipped, or in CI failed, where there is none."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        reason = "no browser here (Debian: apt install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    running = Browser(program, tmp_path_factory.mktemp("browser"))
    try:
        yield running
    finally:
        running.close()
