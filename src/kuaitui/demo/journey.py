"""The seven steps of a refund, walked by people over the real pages.

Log in, open the shop, look at the deposit, apply, say why and how much, wait for the review, see
the money arrive. The walk uses nothing that a seller or a reviewer does not have: pages and forms.
Whether it ended well is asked of the books and of the channel's own book.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kuaitui.demo.browser import Browser, Page
from kuaitui.kernel.clock import read_stopwatch_s
from kuaitui.kernel.errors import Refusal, RefusalKind

WAIT_S = 90


class StepFailed(Refusal):
    """A step of the journey did not end as it should."""

    code = "journey.step_failed"
    kind = RefusalKind.CONFLICT


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it happened."""

    number: int
    name: str
    who: str
    saw: str
    seconds: float


@dataclass(slots=True)
class Log:
    """The steps so far."""

    say: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)
    _began: float = 0.0

    def begin(self) -> None:
        """Start the clock of a step."""
        self._began = read_stopwatch_s()

    def end(self, number: int, name: str, who: str, saw: str) -> None:
        """Note a step that ended well."""
        step = Step(number, name, who, saw, round(read_stopwatch_s() - self._began, 3))
        self.steps.append(step)
        self.say(f"  {number}. {name:<34} {who:<9} {step.seconds:>7.2f} s  {saw}")
        self.begin()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can log in."""

    username: str
    password: str


def log_in(browser: Browser, person: Person) -> Page:
    """Open the log-in page and come in with name and password."""
    page = browser.open("/login")
    page = browser.send(
        page, page.form("password"), username=person.username, password=person.password
    )
    expect(page.status == 200 and "/login" not in page.url, page, "the log-in lets the person in")
    return page


def wait_for(look: Callable[[], Page], is_there: Callable[[Page], bool], what: str) -> Page:
    """Look at a page again and again until it shows what is waited for."""
    deadline = read_stopwatch_s() + WAIT_S
    while True:
        page = look()
        if is_there(page):
            return page
        if read_stopwatch_s() > deadline:
            raise StepFailed(waited_for=what, url=page.url, shows=page.text[-600:])
        time.sleep(0.3)


def expect(condition: bool, page: Page, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Stop the journey unless the page is as it should be.

    Raises:
        StepFailed: says what was expected and what the page shows.
    """
    if not condition:
        raise StepFailed(expected=what, url=page.url, status=page.status, shows=page.text[:800])


def apply_for_all(browser: Browser, page: Page, log: Log, who: str) -> Page:
    """Steps four and five: ask for the whole deposit back; ends on the page that confirms it."""
    page = _follow(browser, page, "/refund")
    expect(page.status == 200, page, "the page to apply opens")
    log.end(4, "申请退还 apply", who, "the form to apply")
    page = browser.send(page, page.form("choice"), choice="whole", reason="closing_shop")
    expect("/destination" in page.url, page, "the page asks where the money goes")
    page = browser.send(page, page.own_form())
    expect("/check" in page.url, page, "the page to check opens")
    page = browser.send(page, page.form("request_key"))
    expect("/refunds/" in page.url and page.status == 200, page, "the application is confirmed")
    log.end(5, "填写原因和金额 reason, amount", who, application_of(page))
    return page


def application_of(page: Page) -> str:
    """The application that a page's address names."""
    return page.url.split("/refunds/")[1].split("/")[0].split("?")[0]


def decide(browser: Browser, application_id: str, act: str, **values: str) -> Page:
    """A member of staff opens a decision's page and sends it."""
    page = browser.open(f"/console/applications/{application_id}/{act}")
    expect(page.status == 200, page, f"the page to {act} opens")
    page = browser.send(page, page.form("approval_hash"), **values)
    expect(page.status == 200, page, f"the decision to {act} is taken")
    return page


def _follow(browser: Browser, page: Page, ending: str) -> Page:
    for address, _ in page.links:
        if address.split("?")[0].rstrip("/").endswith(ending):
            return browser.open(address)
    raise StepFailed(expected=f"a link to …{ending}", url=page.url, shows=page.text[:800])
