"""Whatever merchant, buyers, payees, banks and time do, the simulated Alipay keeps its money."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kuaitui.channels.simulator.faults import Fault, Faults, Rule
from kuaitui.channels.simulator.store import ChannelRefuses
from tests.support.alipay_world import DAY_S, World

AMOUNTS = st.integers(min_value=1, max_value=100_000)
FAULTS = st.sampled_from(
    [None, None, Fault.FAIL_LATER, Fault.SLOW, Fault.HIDDEN, Fault.RETURN_LATER]
)
WAITS_S = st.sampled_from([1, 60, 3600, DAY_S, 8 * DAY_S, 366 * DAY_S])
ANY = st.integers(min_value=0, max_value=20)
RARELY = st.sampled_from([False, False, False, True])


class Money(RuleBasedStateMachine):
    @initialize(
        processing_s=st.sampled_from([0, 300]),
        rate=st.sampled_from(["0", "0.6", "33.3"]),
        comes_back=st.booleans(),
    )
    def open_the_book(self, processing_s: int, rate: str, comes_back: bool) -> None:
        self.world, self.comes_back = World(), comes_back
        self.world.book.set_settings({"fee_rate": rate, "fee_comes_back": str(int(comes_back))})
        self.world.book.set_settings({"processing_s": str(processing_s)})
        self.trades: list[tuple[str, int]] = []
        self.transfers: list[str] = []

    def attempt(self, act):
        """Refusals are part of life; what they leave behind is checked by the invariants."""
        try:
            return act()
        except ChannelRefuses:
            return None

    def drawn(self, fault: Fault | None) -> Faults:
        return Faults([] if fault is None else [Rule(fault, seconds=3600)])

    @rule(offered=AMOUNTS, paid=AMOUNTS, as_offered=st.booleans())
    def somebody_pays(self, offered: int, paid: int, as_offered: bool) -> None:
        trade = self.world.offered(offered)
        self.world.trades.pay(trade, amount_minor=None if as_offered else paid)
        self.trades.append((trade, offered if as_offered else paid))

    @precondition(lambda self: self.trades)
    @rule(which=ANY, percent=st.sampled_from([1, 40, 60, 100, 101]), again=RARELY, fault=FAULTS)
    def the_merchant_refunds(
        self, which: int, percent: int, again: bool, fault: Fault | None
    ) -> None:
        self.world.book.advance(3)  # or most would come too soon after the one before
        trade, total = self.trades[which % len(self.trades)]
        number = f"{trade}AGAIN" if again else ""
        amount = max(1, total * percent // 100)
        self.attempt(
            lambda: self.world.refund(trade, amount, number=number, faults=self.drawn(fault))
        )

    @precondition(lambda self: self.trades)
    @rule(which=ANY)
    def the_merchant_cancels(self, which: int) -> None:
        trade, _ = self.trades[which % len(self.trades)]
        self.attempt(lambda: self.world.refunds.cancel({"out_trade_no": trade}))

    @precondition(lambda self: self.trades)
    @rule(amount=AMOUNTS, again=RARELY, to_card=st.booleans(), fault=FAULTS)
    def the_merchant_transfers(
        self, amount: int, again: bool, to_card: bool, fault: Fault | None
    ) -> None:
        number = "TRANSFERAGAIN" if again else ""
        answer = self.attempt(
            lambda: self.world.transfer(
                amount, number=number, to_card=to_card, faults=self.drawn(fault)
            )
        )
        if answer:
            self.transfers.append(answer["out_biz_no"])

    @precondition(lambda self: self.transfers)
    @rule(which=ANY)
    def a_bank_gives_back(self, which: int) -> None:
        number = self.transfers[which % len(self.transfers)]
        self.attempt(lambda: self.world.transfers.return_now(number, code="CARD_CLOSED"))

    @rule(amount=st.integers(min_value=-500_000, max_value=500_000).filter(bool))
    def the_merchant_moves_its_balance(self, amount: int) -> None:
        self.attempt(lambda: self.world.book.fund(amount))

    @rule(seconds=WAITS_S)
    def time_passes(self, seconds: int) -> None:
        self.world.book.advance(seconds)

    @invariant()
    def the_book_is_in_order(self) -> None:
        if not hasattr(self, "world"):
            return
        book = self.world.book.statement()
        nothing_appears_or_disappears(book)
        every_refund_is_paid_once_and_in_full(book)
        every_transfer_is_where_its_state_says(book)
        no_trade_gives_back_more_than_came_in(book)
        fees_come_back_with_what_they_were_taken_for(book, self.comes_back)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.book.close()


def nothing_appears_or_disappears(book: dict) -> None:
    balances = book["balances"]
    assert sum(balances.values()) == 0
    for account, balance in balances.items():
        came = sum(row["amount_minor"] for row in book["movements"] if row["target"] == account)
        went = sum(row["amount_minor"] for row in book["movements"] if row["origin"] == account)
        assert balance == came - went
    assert all(balances[account] >= 0 for account in ("merchant", "refunds", "transfers"))


def every_refund_is_paid_once_and_in_full(book: dict) -> None:
    moved = [row for row in book["movements"] if row["kind"] == "refund"]
    paid = {(row["reference"], row["number"]): row["amount_minor"] for row in moved}
    done = [row for row in book["refunds"] if row["state"] == "SUCCESS"]
    assert len(paid) == len(moved)
    assert paid == {(row["trade_no"], row["out_request_no"]): row["amount_minor"] for row in done}


def every_transfer_is_where_its_state_says(book: dict) -> None:
    dealing = sum(row["amount_minor"] for row in book["transfers"] if row["state"] == "DEALING")
    assert book["balances"]["transfers"] == dealing
    for row in book["transfers"]:
        truth = book["paid"][row["out_biz_no"]]
        is_there = row["state"] == "SUCCESS"
        assert truth["times_paid"] == (row["state"] in {"SUCCESS", "REFUND"})
        assert truth["with_payee_minor"] == (row["amount_minor"] if is_there else 0)


def no_trade_gives_back_more_than_came_in(book: dict) -> None:
    closed = {row["trade_no"] for row in book["trades"] if row["state"] == "TRADE_CLOSED"}
    for trade_no, trade in book["collected"].items():
        assert 0 <= trade["refunded_minor"] + trade["refunding_minor"] <= trade["paid_minor"]
        is_given_back = trade["refunded_minor"] == trade["paid_minor"]
        assert is_given_back == (trade_no in closed)


def fees_come_back_with_what_they_were_taken_for(book: dict, comes_back: bool) -> None:
    """Never more than was taken, all of it with the whole payment, and none where none comes back."""
    moved = [row for row in book["movements"] if row["kind"] in {"fee", "fee_return"}]
    taken = sum(row["amount_minor"] for row in moved if row["kind"] == "fee")
    given = sum(row["amount_minor"] for row in moved if row["kind"] == "fee_return")
    assert 0 <= book["balances"]["fees"] == taken - given
    if not comes_back:
        assert given == 0
    elif all(one["refunded_minor"] == one["paid_minor"] for one in book["collected"].values()):
        assert given == taken


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
