"""Chromium with one page of the console, and what every test of it checks."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAMS = ("chromium", "google-chrome")
WAIT_MS = 30_000
PICTURES = os.environ.get("CONSOLE_PICTURES")
"""The folder for pictures and measurements; by default they are thrown away."""


def program() -> str | None:
    """The path of an installed browser, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def launched(path: str, home: Path) -> Iterator[Browser]:
    """A browser that calls nobody by itself."""
    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
    environment: dict[str, str | float | bool] = {**os.environ, "HOME": str(home)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=arguments, env=environment, timeout=60_000
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class ConsolePage:
    """A page of the console. `problems` are errors in the browser's console, and requests to other
    hosts.
    """

    page: Page
    url: str
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._note)
        self.page.on("request", self._note_foreign)

    def open(self, view: str) -> None:
        """Open a view, such as `estate`, as a new visitor does."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}#/{view}")
        self.page.get_by_role("navigation").wait_for()

    def ask(self, question: str) -> Any:
        """Ask, and return the item of the answer once its trace is known."""
        self.page.get_by_label("Question").fill(question)
        self.page.keyboard.press("Enter")
        turn = self.page.locator(".turn").last
        turn.locator(".badge, .problem").first.wait_for()
        return turn

    def serious_problems(self) -> list[str]:
        """The serious and critical findings of axe-core."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {[node['html'] for node in one['nodes']]}"
            for one in found
            if one["impact"] in {"serious", "critical"}
        ]

    def picture(self, name: str) -> None:
        if PICTURES:
            self.page.evaluate("window.scrollTo(0, 0)")
            self.page.screenshot(path=Path(PICTURES) / f"console-{name}.png", animations="disabled")

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(message.text)

    def _note_foreign(self, request: Any) -> None:
        if not request.url.startswith((self.url, "about:", "data:")):
            self.problems.append(f"requested {request.url}")
