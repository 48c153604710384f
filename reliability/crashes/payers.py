"""A seller of many shops pays in over the pages. The channel tells of it late, twice, falsely."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx
from django.db import connection
from tests.support import given

from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.demo.browser import Browser
from kuaitui.kernel.clock import read_clock
from reliability.crashes.load import Promises, Restless, come_in, persist, see, seller_of
from reliability.crashes.plant import Plant

WAY = "qr_code:simulator"
AMOUNT = re.compile(r"<title>[^<]*¥(\d+)\.(\d\d)")
SMALL_MINOR = 1_000
# What the channel's telling of a payment suffers. Whoever is never told asks by itself.
TOLD_BADLY: tuple[tuple[Fault, float], ...] = (
    (Fault.NOTIFY_TWICE, 0),
    (Fault.NOTIFY_LATE, 1.5),
    (Fault.NOTIFY_LATE, 4),
    (Fault.NOTIFY_FORGED, 0),
    (Fault.NOTIFY_NEVER, 0),
)
ASKED_BADLY: tuple[tuple[Operation, Fault], ...] = (
    (Operation.OPEN_PAY_IN, Fault.DROP_ANSWER),
    (Operation.OPEN_PAY_IN, Fault.DROP_BEFORE),
    (Operation.OPEN_PAY_IN, Fault.ERROR_AFTER),
    (Operation.QUERY_PAY_IN, Fault.DROP_ANSWER),
    (Operation.QUERY_PAY_IN, Fault.GARBAGE),
    (Operation.QUERY_PAY_IN, Fault.BAD_SIGNATURE),
)


@dataclass(slots=True)
class Order:
    """An order that its seller saw confirmed."""

    order_id: str
    shop: given.Shop
    minor: int
    payments: int = 0
    was_refused: bool = False
    """The channel took no payment of it; its seller tries no more."""


@dataclass(slots=True)
class Orders:
    """Every order that a page confirmed, by id: (deposit, amount asked)."""

    made: dict[str, tuple[str, int]] = field(default_factory=dict)
    payments: int = 0
    receipts: dict[str, int] = field(default_factory=dict)
    """By lot: the amount that its receipt showed, in fen."""

    def keep(self, order: Order) -> None:
        """Note an order that was confirmed to its seller."""
        assert order.order_id not in self.made, "an order was confirmed twice"
        self.made[order.order_id] = (order.shop.account_id, order.minor)


class Payers(Restless):
    """A seller of many shops at the pages, and at the till of the channel."""

    def __init__(
        self, plant: Plant, promises: Promises, orders: Orders, seed: int, *, shops: int
    ) -> None:
        super().__init__("payers", plant, promises, seed)
        self.orders = orders
        self.shops = [given.shop("¥100", now=read_clock()) for _ in range(shops)]
        self._seller = seller_of(*self.shops)
        self._entered: Browser | None = None
        self._waiting: dict[str, Order] = {}
        self._turn = itertools.cycle(self.shops)

    def act(self) -> bool:
        """The next seller orders, pays, calls off or looks at the receipt."""
        shop = next(self._turn)
        order = self._waiting.get(shop.shop_id)
        if order is None:
            self._order(shop)
            return True
        return self._go_on(order)

    def _order(self, shop: given.Shop) -> None:
        minor = SMALL_MINOR + self.chance.randrange(1000)
        browser = self._browser()
        at = f"/shops/{shop.shop_id}/deposits/{shop.account_id}/pay-in"
        page = see(self, lambda: browser.open(at), "/pay-in")
        form = page.form("choice")
        amount = f"{minor // 100}.{minor % 100:02d}"
        page = see(
            self,
            lambda: browser.send(page, form, choice="other", amount=amount, way=WAY),
            "/pay-ins/",
        )
        order_id = page.url.split("/pay-ins/")[1].split("/")[0].split("?")[0]
        order = Order(order_id, shop, minor)
        self.orders.keep(order)
        self._waiting[shop.shop_id] = order
        if self.chance.random() < 0.4:
            operation, fault = self.chance.choice(ASKED_BADLY)
            number = self._stands(order)[0]
            self.plant.director.misbehave(Rule(fault, operation, number=number, times=1))

    def _go_on(self, order: Order) -> bool:
        number, state, lot_id = self._stands(order)
        if state == "waiting" and not order.payments and not order.was_refused:
            if self.chance.random() < 0.15:
                self._call_off(order)
            else:
                self._pay(order, number)
            return True
        if state in {"paid", "paid_other_amount"} and order.payments == 1:
            self._read_receipt(order, lot_id)
            if self.chance.random() < 0.2:
                # Only told, so it must be told: nobody asks again after what is paid.
                self._pay_anyhow(order, number)
            self._leave(order)
            return True
        if state == "closed" and not order.payments:
            if not order.was_refused and self.chance.random() < 0.5:
                self._pay_anyhow(order, number)
            self._leave(order)
            return True
        if state in {"failed", "expired", "in_suspense"}:
            self._leave(order)
        return False

    def _pay(self, order: Order, number: str) -> None:
        if self.chance.random() < 0.7:
            fault, seconds = self.chance.choice(TOLD_BADLY)
            rule = Rule(fault, Operation.PAY, number=number, seconds=seconds, times=1)
            self.plant.director.misbehave(rule)
        other = order.minor + 1 if self.chance.random() < 0.1 else None
        try:
            self.plant.director.pay_in(number, amount_minor=other)
        except httpx.HTTPStatusError as refused:
            if refused.response.status_code != HTTPStatus.CONFLICT:
                raise
            # It has closed there meanwhile. The rule waits for the next payment of this number, which
            # would be told to nobody, and nobody asks again after what is closed.
            order.was_refused = True
            return
        order.payments += 1
        self.orders.payments += 1

    def _pay_anyhow(self, order: Order, number: str) -> None:
        fault = self.chance.choice([Fault.NOTIFY_TWICE, Fault.NOTIFY_FORGED])
        self.plant.director.misbehave(Rule(fault, Operation.PAY, number=number, times=1))
        self.plant.director.pay_in(number, anyhow=True)
        order.payments += 1
        self.orders.payments += 1

    def _call_off(self, order: Order) -> None:
        browser = self._browser()
        at = f"/shops/{order.shop.shop_id}/pay-ins/{order.order_id}"
        page = see(self, lambda: browser.open(at), "/pay-ins/")
        form = next((one for one in page.forms if one.action.endswith("/call-off")), None)
        if form is not None:
            see(self, lambda: browser.send(page, form), "/pay-ins/")

    def _read_receipt(self, order: Order, lot_id: str) -> None:
        browser = self._browser()
        at = f"/shops/{order.shop.shop_id}/receipts/{lot_id}"
        page = see(self, lambda: browser.open(at), "/receipts/")
        shown = AMOUNT.search(page.html)
        assert shown is not None, page.text[:300]
        self.orders.receipts[lot_id] = int(shown[1]) * 100 + int(shown[2])

    def _leave(self, order: Order) -> None:
        del self._waiting[order.shop.shop_id]

    def _stands(self, order: Order) -> tuple[str, str, str]:
        def ask() -> tuple[str, str, str]:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT number, state, lot_id FROM deposits_pay_in_order WHERE public_id = %s",
                    [order.order_id],
                )
                row = cursor.fetchone()
            assert row is not None, f"{order.order_id} was confirmed and is not there"
            return str(row[0]), str(row[1]), str(row[2])

        return persist(ask)

    def _browser(self) -> Browser:
        """One person's, who has all these shops."""
        if self._entered is None:
            browser = Browser(self.plant.installation.web_url)
            see(self, lambda: come_in(browser, self._seller), "/")
            self._entered = browser
        return self._entered
