"""Looking at a page as a browser shows it: accessibility, measures, what went wrong in it."""

from __future__ import annotations

from collections.abc import Mapping

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
_WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
ALL_RULES = {"runOnly": _WCAG}
OF_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""Where only the scheme has changed, nothing but these can find anything new."""
ALL_BUT_COLOURS = {"runOnly": _WCAG, "rules": {"color-contrast": {"enabled": False}}}
"""Where only the words have changed."""
TOUCH_PX = 44
TOUCHED = (
    ".button, .input, .textarea, .choice, .place, .tab, .back, .bar-tool, summary, .cell:has(a)"
)


class Watched:
    """A browser context that remembers everything a page may not do."""

    def __init__(self, browser: Browser, address: str, **options: object) -> None:
        self.complaints: list[str] = []
        self.context: BrowserContext = browser.new_context(
            **{"viewport": PHONE, "locale": "zh-CN", "base_url": address, **options}
        )
        self.context.on("page", self._watch)
        self._address = address

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on(
            "console",
            lambda said: (
                self.complaints.append(f"{said.type}: {said.text}")
                if said.type in {"error", "warning"} and "Failed to load resource" not in said.text
                else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                self.complaints.append(f"elsewhere: {request.url}")
                if not request.url.startswith((self._address, "data:"))
                else None
            ),
        )

    def log_in(self, session_key: str) -> None:
        self.context.add_cookies(
            [{"name": "kuaitui_session", "value": session_key, "url": self._address}]
        )

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def violations(page: Page, *, rules: Mapping[str, object] = ALL_RULES) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA."""
    options = {**rules, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{page.url} {rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def overflow_px(page: Page) -> int:
    """By how much the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def cut_off_rows(page: Page) -> list[str]:
    """Rows that one must push sideways to see their amounts."""
    cut = page.evaluate(
        """[...document.querySelectorAll(".table-scroll:has(> .rows)")]
            .filter((e) => e.scrollWidth > e.clientWidth + 1)
            .map((e) => `${e.getAttribute("aria-label")} by ${e.scrollWidth - e.clientWidth} px`)"""
    )
    return [f"{page.url} cuts off {one}" for one in cut]


def too_small(page: Page) -> list[str]:
    """Things to be touched that a thumb would miss."""
    return list(
        page.evaluate(
            """([chosen, least]) => [...document.querySelectorAll(chosen)]
                .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < least - 0.5)
                .map((e) => `${e.className} ${e.textContent.trim().slice(0, 30)}`)""",
            [TOUCHED, TOUCH_PX],
        )
    )


def hidden_focus(page: Page, *, presses: int) -> list[str]:
    """What has focus on a walk by keyboard while something lies over it."""
    covered = []
    for _ in range(presses):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
                const e = document.activeElement;
                if (e === document.body) return null;
                const box = e.getBoundingClientRect();
                const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                const seen = top && (e.contains(top) || top.contains(e) || top.closest("label")?.contains(e));
                return seen ? null : `${e.tagName} ${e.name || e.textContent.trim().slice(0, 30)}`;
            }"""
        )
        covered += [name] if name else []
    return covered
