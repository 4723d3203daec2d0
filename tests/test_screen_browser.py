"""The screen in a real Chromium: every page, in both themes, on a phone, by keyboard, without scripts."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.processes import web
from bot.screen import app, guard
from store import sessions
from store.database import Database
from tests import postgres
from tests.bench import team
from tests.screen_parts import BOSS, TEAM, Slack, parts_for

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

PAGES = ("", "?days=365", "conversations", "replies", "sources", "sources/archive/", "documents", "gaps",
         "channels", "channels/C3", "intents", "quality", "nights", "system", "sign-in?token=x", "nowhere")  # fmt: skip
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 380, "height": 780}
KB = 1000
MOST_BYTES = 100 * KB

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Window:
    """Chromium, the screen that it looks at as the boss, and what the last page complained of."""

    browser: "playwright.Browser"
    address: str
    cookie: str
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str, **options: object) -> "playwright.Page":
        """Open a page in a new window; what goes wrong in it fails the test."""
        context = self.browser.new_context(**{"viewport": WIDE, **options})
        context.set_default_timeout(20_000)
        cookie = {"name": guard.COOKIE, "value": self.cookie, "url": self.address}
        context.add_cookies([cookie])
        page = context.new_page()
        self.wrong.clear()
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", self._hear)
        page.goto(self.address + path)
        return page

    def _hear(self, said: "playwright.ConsoleMessage") -> None:
        if said.type in ("error", "warning") and "status of 404" not in said.text:
            self.wrong.append(said.text)


@pytest.fixture(scope="module")
def window(server: str, template: str) -> Iterator[Window]:
    """A year of a small team's questions, served; and a Chromium."""
    with playwright.sync_playwright() as running, postgres.database(server, template) as url:
        found = next(filter(None, map(shutil.which, BROWSERS)), running.chromium.executable_path)
        if not Path(found).exists():
            pytest.skip(
                "there is no Chromium (Debian's package chromium, or `playwright install chromium`)"
            )
        database = Database(url)
        with database.connection() as connection:
            team.fill(connection, TEAM, questions=600, documents=60)
            token = sessions.begin(connection, TEAM, BOSS, datetime.now(UTC))
        slack = Slack(open={f"C{n}": f"team-{n}" for n in range(40)})
        site = app.build(parts_for(database, slack, now=lambda: datetime.now(UTC)))
        served = web.Server(site, "127.0.0.1", 0)
        browser = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield Window(browser, f"http://127.0.0.1:{served.port}/screen/", token)
        browser.close()
        served.close()
        database.close()


def look(window: Window, path: str, **options: object) -> None:
    """Check what holds for every page."""
    page = window.open(path, **options)
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), "it is wider than the window"
    assert page.locator("h1").count() == 1
    found = axe.Axe().run(page).response["violations"]
    serious = [
        (each["id"], each["nodes"][0]["html"])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert window.wrong == []
    page.context.close()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_readable_wide_and_light(window: Window, path: str) -> None:
    look(window, path, color_scheme="light")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_readable_on_a_phone_and_dark(window: Window, path: str) -> None:
    look(window, path, color_scheme="dark", viewport=PHONE)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_small_and_asks_no_other_host(window: Window, path: str) -> None:
    page = window.open("sign-in")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    reply = page.goto(window.address + path)
    assert reply and len(reply.body()) < MOST_BYTES
    assert [url for url in asked if not url.startswith(window.address)] == []
    page.context.close()


def test_a_conversation_is_found_and_opened_without_scripts(window: Window) -> None:
    page = window.open("conversations", java_script_enabled=False)
    page.get_by_label("Words").fill("travelling")
    page.get_by_label("Status").select_option("answered")
    page.get_by_role("button", name="Filter").click()
    row = page.locator("tbody th a").first
    assert "travelling" in row.inner_text()
    row.click()
    assert page.get_by_role("heading", name="Passages considered").count() == 1
    page.context.close()


def test_the_keyboard_reaches_the_content_first(window: Window) -> None:
    page = window.open("conversations")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.context.close()


def test_a_conversation_and_its_passages_are_readable(window: Window) -> None:
    page = window.open("conversations")
    path = str(page.locator("tbody th a").first.get_attribute("href")).removeprefix("/screen/")
    page.context.close()
    look(window, path, color_scheme="light")
    look(window, path, color_scheme="dark", viewport=PHONE)
