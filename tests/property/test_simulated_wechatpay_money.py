"""Whatever merchant, payers, payees and time do, the simulated WeChat Pay keeps its money."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kuaitui.channels.simulator.faults import Fault, Faults, Rule
from kuaitui.channels.simulator.store import ChannelRefuses
from tests.support.wechatpay_world import DAY_S, World

AMOUNTS = st.integers(min_value=1, max_value=100_000)
FAULTS = st.sampled_from(
    [None, None, Fault.ABNORMAL, Fault.FAIL_LATER, Fault.SLOW, Fault.HIDDEN, Fault.CLOSE_LATE]
)
WAITS_S = st.sampled_from([1, 60, 3600, DAY_S, 8 * DAY_S, 366 * DAY_S])
ANY = st.integers(min_value=0, max_value=20)
RARELY = st.sampled_from([False, False, False, True])


class Money(RuleBasedStateMachine):
    @initialize(
        processing_s=st.sampled_from([0, 300]),
        patient=st.booleans(),
        rate=st.sampled_from(["0", "0.6", "33.3"]),
        comes_back=st.booleans(),
    )
    def open_the_book(self, processing_s: int, patient: bool, rate: str, comes_back: bool) -> None:
        self.world, self.comes_back = World(), comes_back
        self.world.book.set_settings({"fee_rate": rate, "fee_comes_back": str(int(comes_back))})
        self.world.book.set_settings(
            {"processing_s": str(processing_s), "accepts_without_balance": str(int(patient))}
        )
        self.payments: list[tuple[str, int]] = []
        self.refunds: list[dict] = []
        self.transfers: list[str] = []

    def attempt(self, act):
        """Refusals are part of life; what they leave behind is checked by the invariants."""
        try:
            return act()
        except ChannelRefuses:
            return None

    def drawn(self, fault: Fault | None) -> Faults:
        return Faults([] if fault is None else [Rule(fault, seconds=3600)])

    @rule(amount=AMOUNTS, offered=AMOUNTS)
    def somebody_pays(self, amount: int, offered: int) -> None:
        order = self.world.opened(offered)
        paid = self.world.trades.pay(order, amount_minor=amount)
        self.payments.append((paid["transaction_id"], amount))

    @precondition(lambda self: self.payments)
    @rule(which=ANY, percent=st.sampled_from([1, 40, 60, 100, 101]), again=RARELY, fault=FAULTS)
    def the_merchant_refunds(
        self, which: int, percent: int, again: bool, fault: Fault | None
    ) -> None:
        self.world.book.advance(61)  # or most would come too soon after the one before
        payment, total = self.payments[which % len(self.payments)]
        amount = max(1, total * percent // 100)
        number = "REFUNDAGAIN" if again else ""
        answer = self.attempt(
            lambda: self.world.refund(
                payment, amount, number=number, total_minor=total, faults=self.drawn(fault)
            )
        )
        if answer:
            self.refunds.append(answer)

    @precondition(lambda self: self.refunds)
    @rule(which=ANY, way=st.sampled_from(["USER_BANK_CARD", "MERCHANT_BANK_CARD"]))
    def the_merchant_sends_a_refund_on(self, which: int, way: str) -> None:
        refund = self.refunds[which % len(self.refunds)]
        order = {"out_refund_no": refund["out_refund_no"], "type": way, "bank_type": "CMB"}
        self.attempt(
            lambda: self.world.refunds.send_on(refund["refund_id"], order, "6225880000006789")
        )

    @precondition(lambda self: self.payments)
    @rule(amount=AMOUNTS, again=RARELY, fault=FAULTS)
    def the_merchant_transfers(self, amount: int, again: bool, fault: Fault | None) -> None:
        number = "TRANSFERAGAIN" if again else ""
        answer = self.attempt(
            lambda: self.world.transfer(
                amount, number=number, name="王小明", faults=self.drawn(fault)
            )
        )
        if answer:
            self.transfers.append(answer["out_bill_no"])

    @precondition(lambda self: self.transfers)
    @rule(which=ANY)
    def a_payee_confirms(self, which: int) -> None:
        number = self.transfers[which % len(self.transfers)]
        transfers = self.world.transfers
        self.attempt(lambda: transfers.confirm(transfers.package_of(number)))

    @precondition(lambda self: self.transfers)
    @rule(which=ANY)
    def the_merchant_cancels(self, which: int) -> None:
        number = self.transfers[which % len(self.transfers)]
        self.attempt(lambda: self.world.transfers.cancel(number))

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
        every_number_is_paid_once_and_in_full(book)
        what_lies_between_is_what_is_under_way(book)
        no_payment_gives_back_more_than_came_in(book)
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


def every_number_is_paid_once_and_in_full(book: dict) -> None:
    amounts = {row["out_refund_no"]: row["amount_minor"] for row in book["refunds"]}
    amounts |= {row["out_bill_no"]: row["amount_minor"] for row in book["transfers"]}
    for number, paid in book["paid"].items():
        assert paid["times_paid"] <= 1
        assert paid["with_payee_minor"] in {0, amounts[number]}


def what_lies_between_is_what_is_under_way(book: dict) -> None:
    lying = sum(
        row["amount_minor"]
        for row in book["refunds"]
        if row["is_funded"] and row["state"] in {"PROCESSING", "ABNORMAL"}
    )
    locked = sum(
        row["amount_minor"]
        for row in book["transfers"]
        if row["state"] not in {"SUCCESS", "FAIL", "CANCELLED"}
    )
    assert book["balances"]["refunds"] == lying
    assert book["balances"]["transfers"] == locked


def no_payment_gives_back_more_than_came_in(book: dict) -> None:
    for payment in book["collected"].values():
        back = payment["refunded_minor"] + payment["refunding_minor"]
        assert 0 <= back <= payment["paid_minor"]


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
