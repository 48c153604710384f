"""People who go on while everything around them dies: they look again, and send again what they sent."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
from django.db import InterfaceError, OperationalError, connection, connections
from tests.support import given

from kuaitui.accounts.operations import create_user, grant_shop
from kuaitui.accounts.types import Role
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.demo.browser import Browser, FormMissing, Page
from kuaitui.demo.journey import Person, log_in
from kuaitui.deposits.queries import deposit
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.refunds import operations, queries
from kuaitui.refunds.errors import ApplicationAlreadyOpen
from kuaitui.refunds.types import AmountChoice, Reason
from reliability.crashes.plant import BACK_WITHIN_S, Plant

Answer = TypeVar("Answer")
PASSWORD = "correct horse battery staple"
SMALL_MINOR, MIDDLE_MINOR = 1_000, 500_000
"""One that the rule approves, and one that a person must look at."""
SEND_FAULTS: tuple[tuple[Fault, float], ...] = (
    (Fault.DROP_ANSWER, 0),
    (Fault.ERROR_AFTER, 0),
    (Fault.LATE_ANSWER, 2.5),
    (Fault.BAD_SIGNATURE, 0),
    (Fault.NEW_CODE, 0),
    (Fault.SLOW, 2),
    (Fault.WANTS_AGAIN, 0),
)
QUERY_FAULTS: tuple[tuple[Fault, float], ...] = (
    (Fault.DROP_ANSWER, 0),
    (Fault.ERROR_BEFORE, 0),
    (Fault.GARBAGE, 0),
)
_keys = itertools.count(1)


@dataclass(slots=True)
class Promises:
    """What applicants were told: an application of theirs exists, for that amount."""

    made: dict[str, tuple[str, int]] = field(default_factory=dict)
    by_pages: int = 0
    sent_again: int = 0
    decided: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, application_id: str, account_id: str, minor: int, *, by_pages: bool) -> None:
        """Note an application that was confirmed to its applicant."""
        with self._lock:
            known = self.made.setdefault(application_id, (account_id, minor))
            assert known == (account_id, minor), "an application was confirmed to two applicants"
            self.by_pages += by_pages


class Restless(threading.Thread):
    """Somebody who goes on until told to stop; a problem of their own ends the run."""

    def __init__(self, name: str, plant: Plant, promises: Promises, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.plant, self.promises = plant, promises
        self.chance = random.Random(f"{seed}/{name}")
        self.stopping = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Act again and again."""
        try:
            while not self.stopping.is_set():
                if not self.act():
                    self.stopping.wait(0.05)
        except BaseException as failure:  # noqa: BLE001 - raised by whoever waits for this thread
            self.failure = failure
        finally:
            connections.close_all()

    def act(self) -> bool:
        """Do one thing; whether there was anything to do."""
        raise NotImplementedError

    def end(self) -> None:
        """Stop, and raise what went wrong."""
        self.stopping.set()
        self.join(120)
        assert not self.is_alive(), f"{self.name} does not end"
        if self.failure is not None:
            raise self.failure


def persist(ask: Callable[[], Answer]) -> Answer:
    """Ask the database until it answers; it may be crashing just now."""
    deadline = time.monotonic() + BACK_WITHIN_S
    while True:
        try:
            return ask()
        except (OperationalError, InterfaceError):
            connections.close_all()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class Applicants(Restless):
    """Shops that apply as programs do: with a key of their own, sent again until it is answered."""

    def __init__(self, plant: Plant, promises: Promises, seed: int, *, shops: int) -> None:
        super().__init__("applicants", plant, promises, seed)
        self.shops = [given.shop("¥500,000", now=read_clock()) for _ in range(shops)]
        self._turn = itertools.cycle(self.shops)

    def act(self) -> bool:
        """Let the next shop apply, unless it has an application under way."""
        shop = next(self._turn)
        if persist(lambda: queries.open_application(account_id=shop.account_id)):
            return False
        self._misbehave(shop)
        key, minor = f"crash-{next(_keys)}", SMALL_MINOR + self.chance.randrange(1000)

        def submit() -> str:
            return operations.submit_application(
                account_id=shop.account_id, shop_key=shop.shop_key, choice=AmountChoice.PART,
                amount=Money(minor, "CNY"), reason=Reason.CLOSING_SHOP, note="", destination_id="",
                request_key=key, actor=shop.seller, now=read_clock(),
            ).application_id  # fmt: skip

        try:
            application_id = persist(submit)
        except ApplicationAlreadyOpen:
            return False
        self.promises.keep(application_id, shop.account_id, minor, by_pages=False)
        return True

    def _misbehave(self, shop: given.Shop) -> None:
        if self.chance.random() < 0.5:
            return
        operation = self.chance.choice([Operation.SUBMIT, Operation.SUBMIT, Operation.QUERY])
        faults = SEND_FAULTS if operation is Operation.SUBMIT else QUERY_FAULTS
        fault, seconds = self.chance.choice(faults)
        lots = persist(lambda: deposit(shop.account_id)).lots
        tail = lots[0].channel_reference[-4:]
        self.plant.director.misbehave(Rule(fault, operation, tail=tail, seconds=seconds, times=1))


class Visitors(Restless):
    """Sellers at the pages. When a page does not come, they wait and send the same again."""

    def __init__(self, plant: Plant, promises: Promises, seed: int, *, shops: int) -> None:
        super().__init__("visitors", plant, promises, seed)
        self.shops = [given.shop("¥1,000,000", now=read_clock()) for _ in range(shops)]
        self._sellers = {shop.shop_id: seller_of(shop) for shop in self.shops}
        self._browsers: dict[str, Browser] = {}
        self._turn = itertools.cycle(self.shops)

    def act(self) -> bool:
        """One seller applies for a part, from the first page to the confirmation."""
        shop = next(self._turn)
        if persist(lambda: queries.open_application(account_id=shop.account_id)):
            return False
        minor = self.chance.choice([SMALL_MINOR, MIDDLE_MINOR]) + self.chance.randrange(1000)
        browser = self._browser(shop)
        amount = f"{minor // 100}.{minor % 100:02d}"
        at = f"/shops/{shop.shop_id}/deposits/{shop.account_id}/refund"
        page = self._see(lambda: browser.open(at), "/refund")
        form = page.form("choice")
        page = self._see(
            lambda: browser.send(page, form, choice="part", amount=amount, reason="closing_shop"),
            "/refund/destination",
        )
        chosen = page.own_form()
        page = self._see(lambda: browser.send(page, chosen), "/refund/check")
        sending = page.form("request_key")
        page = self._see(lambda: browser.send(page, sending), "/refunds/")
        application_id = page.url.split("/refunds/")[1].split("/")[0].split("?")[0]
        self.promises.keep(application_id, shop.account_id, minor, by_pages=True)
        return True

    def _browser(self, shop: given.Shop) -> Browser:
        if shop.shop_id not in self._browsers:
            browser = Browser(self.plant.installation.web_url)
            person = self._sellers[shop.shop_id]
            self._see(lambda: come_in(browser, person), "/")
            self._browsers[shop.shop_id] = browser
        return self._browsers[shop.shop_id]

    def _see(self, look: Callable[[], Page], ending: str) -> Page:
        return see(self, look, ending)


class Reviewers(Restless):
    """Staff at the pages: one approves, another confirms what needs a second person."""

    def __init__(self, plant: Plant, promises: Promises, seed: int) -> None:
        super().__init__("reviewers", plant, promises, seed)
        self._people = {
            act: _staff(act, role)
            for act, role in (("approve", Role.REVIEWER), ("confirm", Role.APPROVER))
        }
        self._browsers: dict[str, Browser] = {}

    def act(self) -> bool:
        """Decide the case that has waited longest."""
        waiting = persist(_waiting)
        if waiting is None:
            return False
        application_id, state, minor = waiting
        act = "approve" if state == "in_review" else "confirm"
        browser = self._browser(act)
        address = f"/console/applications/{application_id}/{act}"
        page = see(self, lambda: browser.open(address), "/console/")
        try:
            form = page.form("approval_hash")
        except FormMissing:
            return False
        values = {"amount_retyped": f"{minor // 100}.{minor % 100:02d}"} if act == "confirm" else {}
        see(self, lambda: browser.send(page, form, **values), "/console/", refusals=True)
        self.promises.decided += 1
        return True

    def _browser(self, act: str) -> Browser:
        if act not in self._browsers:
            browser = Browser(self.plant.installation.web_url, language="en")
            see(self, lambda: come_in(browser, self._people[act]), "/")
            self._browsers[act] = browser
        return self._browsers[act]


def come_in(browser: Browser, person: Person) -> Page:
    """Log in, unless an earlier try did and only its answer was lost."""
    page = browser.open("/")
    return log_in(browser, person) if "/login" in page.url else page


def see(person: Restless, look: Callable[[], Page], ending: str, *, refusals: bool = False) -> Page:
    """Look until a page comes that belongs there, sending the same again after every accident.

    With `refusals` a page that says no counts: a decision that was taken before the accident is
    not taken twice.
    """
    deadline = time.monotonic() + BACK_WITHIN_S
    while True:
        try:
            page = look()
            if page.status < 400 or (refusals and page.status < 500):
                assert ending in page.url, f"{page.url} instead of …{ending}: {page.text[:300]}"
                return page
            assert page.status >= 500 or page.status == 409, f"{page.url}: {page.text[:300]}"
        except (httpx.HTTPError, Refusal) as problem:
            if isinstance(problem, Refusal) and time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise TimeoutError(f"{person.name}: nothing comes, waiting for …{ending}")
        person.promises.sent_again += 1
        time.sleep(0.1)


def _waiting() -> tuple[str, str, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT public_id, state, amount_minor FROM refunds_application"
            " WHERE state IN ('in_review', 'awaiting_second_approval') ORDER BY id LIMIT 1"
        )
        row = cursor.fetchone()
        return None if row is None else (str(row[0]), str(row[1]), int(row[2]))


def seller_of(*shops: given.Shop) -> Person:
    """Whoever may act for these shops at the pages."""
    person, user_id = _person(f"owner-{shops[0].shop_id}", Role.SELLER)
    for shop in shops:
        grant_shop(user_id=user_id, shop_key=shop.shop_key, actor=given.clerk(), now=read_clock())
    return person


def _staff(name: str, role: Role) -> Person:
    return _person(f"staff-{name}", role)[0]


def _person(username: str, role: Role) -> tuple[Person, str]:
    user_id = create_user(
        username=username, display_name=username, role=role, password=PASSWORD,
        actor=given.clerk(), now=read_clock(),
    )  # fmt: skip
    return Person(username, PASSWORD), user_id
