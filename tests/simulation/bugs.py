"""Bugs to seed: each breaks one place of the running code, as a slip of a pen would.

A bug is a line of a function and what stands there instead. The function is compiled anew in its own
module and its code is exchanged in place, so whoever imported it meets the bug. A line that is no
longer there is an error: a bug that breaks nothing would prove nothing.
"""

from __future__ import annotations
import __future__

import ast
import enum
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType

from kuaitui.simulation.plan import ActKind, Recipe

SEVERITY = 4.0


class World(enum.Enum):
    """Where a bug is looked for: worlds in which more of its kind happens show it sooner."""

    REFUNDS = "refunds"
    PAY_INS = "pay-ins by code"
    HEARINGS = "deductions"
    HEARINGS_AND_REFUNDS = "deductions, and refunds beside them"
    LONG_RUN = "the long run"
    """Ten thin years, for what only a rare meeting of faults shows."""

    def recipe(self, seed: int) -> Recipe:
        """One history of this world."""
        if self is World.REFUNDS:
            recipe = Recipe(seed, 1.0, severity=SEVERITY)
            return recipe.leaving_out(ActKind.PAY_BY_CODE, ActKind.HEARING)
        if self is World.LONG_RUN:
            return Recipe(seed, 10.0, shops=2, density=0.7).leaving_out(ActKind.HEARING)
        kinds = {ActKind.PAY_BY_CODE}
        if self is not World.PAY_INS:
            kinds = {ActKind.PAY_IN, ActKind.DEDUCT, ActKind.HEARING}
        if self is World.HEARINGS_AND_REFUNDS:
            kinds.add(ActKind.APPLY)
        others = set(ActKind) - kinds - {ActKind.OPEN_SHOP}
        return Recipe(seed, 0.5, shops=2, severity=SEVERITY, density=16.0).leaving_out(*others)


@dataclass(frozen=True, slots=True)
class Bug:
    """One slip."""

    name: str
    where: str
    """Module and function, as `package.module:function`."""
    line: str
    instead: str
    seed: int = 1
    """The history to begin with."""
    world: World = World.REFUNDS

    def __str__(self) -> str:
        return self.name

    @contextmanager
    def switched_on(self) -> Iterator[None]:
        """The running code has the bug inside."""
        function = _function_at(self.where)
        sound = function.__code__
        function.__code__ = self._broken(function)
        try:
            yield
        finally:
            function.__code__ = sound

    def _broken(self, function: FunctionType) -> object:
        source = textwrap.dedent(inspect.getsource(function))
        assert self.line in source, f"{self.where} no longer says: {self.line}"
        tree = ast.parse(source.replace(self.line, self.instead, 1))
        (definition,) = tree.body
        assert isinstance(definition, ast.FunctionDef)
        definition.decorator_list = []
        flags = __future__.annotations.compiler_flag
        code = compile(tree, f"<{self.name}>", "exec", flags=flags, dont_inherit=True)
        made: dict[str, FunctionType] = {}
        exec(code, function.__globals__, made)
        return made[definition.name].__code__


def _function_at(where: str) -> FunctionType:
    module, _, path = where.partition(":")
    found: object = importlib.import_module(module)
    for name in path.split("."):
        found = inspect.getattr_static(found, name)
    found = found.fget if isinstance(found, property) else found
    function = inspect.unwrap(found)
    assert isinstance(function, FunctionType)
    return function


CLAIM = "kuaitui.payouts.operations.claim"
RECORD = "kuaitui.payouts.operations.record"
CARRY_OUT = "kuaitui.payouts.operations.carry_out"
RULES = "kuaitui.payouts.rules.protocol"
HOLDS = "kuaitui.deposits.operations.holds"
DEDUCTIONS = "kuaitui.deposits.operations.deductions"
ROUTES = "kuaitui.deposits.rules.refunds"
APPROVE = "kuaitui.refunds.operations.approve"
CONFIRM = "kuaitui.refunds.operations.confirm"
BINDING = "kuaitui.refunds.queries.binding"
PLACING = "kuaitui.deposits.operations.pay_in_placing"

BUGS = (
    Bug(
        "a journal is posted twice",
        f"{RECORD}:_post_and_settle",
        "post_journals([journal for one in moved for journal in one.journals], now=now)",
        "from dataclasses import replace\n"
        "    once = [journal for one in moved for journal in one.journals]\n"
        "    again = [replace(journal, reference=journal.reference + '/2') for journal in once]\n"
        "    post_journals([*once, *again], now=now)",
    ),
    Bug(
        "a lease never ends",
        f"{CLAIM}:_move_to",
        "leg.lease_until = leg.next_check_at = now + pace.lease",
        "leg.lease_until = leg.next_check_at = now + pace.lease * 100_000_000",
    ),
    Bug(
        "the fence is ignored",
        f"{RECORD}:_complete",
        "held = [one for leg_id, one in fresh.items() if legs[leg_id].id in completed]",
        "held = list({one.claim.leg_id: one for one in recordings}.values())",
        seed=2,
    ),
    Bug(
        "a query is skipped",
        f"{RULES}:next_kind",
        "if state is LegState.READY:",
        "if state in (LegState.READY, LegState.UNKNOWN):",
    ),
    Bug(
        "what a channel wants again is only asked about",
        f"{RULES}:next_kind",
        "if state is LegState.ACCEPTED and wants_again:",
        "if state is None:",
        seed=5,
    ),
    Bug(
        "only first sends are noted outside of the database",
        f"{CARRY_OUT}:note_sends",
        "orders = [claim for claim in claims if claim.kind is not AttemptKind.QUERY]",
        "orders = [claim for claim in claims if claim.kind is AttemptKind.SEND]",
        seed=3901,
        world=World.LONG_RUN,
    ),
    Bug(
        "a timeout is taken for a failure",
        f"{CARRY_OUT}:_call",
        "return channel.submit(claim.instruction, deadline_s=deadline_s)",
        "from kuaitui.channels.port import FailedDefinite, Unknown\n"
        "            answer = channel.submit(claim.instruction, deadline_s=deadline_s)\n"
        "            return FailedDefinite('TIMEOUT') if isinstance(answer, Unknown) else answer",
    ),
    Bug(
        "not found is taken for a failure",
        f"{CARRY_OUT}:_call",
        "return channel.query(claim.instruction, deadline_s=deadline_s)",
        "from kuaitui.channels.port import FailedDefinite, NotFound\n"
        "            answer = channel.query(claim.instruction, deadline_s=deadline_s)\n"
        "            return FailedDefinite('NOT_FOUND') if isinstance(answer, NotFound) else answer",
    ),
    Bug(
        "an amount is sent a hundredfold",
        "kuaitui.payouts.operations.requests:open_request",
        "return instruction",
        "return PayoutInstruction(instruction.number,"
        " Money(instruction.amount.minor * 100, instruction.amount.currency), instruction.target)",
    ),
    Bug(
        "currencies are mixed up",
        "kuaitui.payouts.operations.requests:open_request",
        "return instruction",
        "return PayoutInstruction("
        "instruction.number, Money(instruction.amount.minor, 'EUR'), instruction.target)",
    ),
    Bug(
        "a return is ignored",
        f"{RULES}:_watch",
        "case Returned() | FailedDefinite():",
        "case Returned() | FailedDefinite() if leg.settled_at is None:",
    ),
    Bug(
        "a lot is reserved beyond what is left",
        "kuaitui.deposits.types:Lot.remaining",
        "return self.amount - self.reserved - self.refunded - self.deducted",
        "return self.amount - self.reserved - self.deducted",
    ),
    Bug(
        "a hold is released twice",
        f"{HOLDS}:release_deposit",
        "set_off_debt(account",
        "_post(account, 'release', f'{reference}/again', Account.FROZEN, Account.AVAILABLE,"
        " released, now); set_off_debt(account",
        seed=17,
    ),
    Bug(
        "a hold is released and stays frozen",
        f"{HOLDS}:free_hold",
        'row.save(update_fields=["released_minor"])',
        "return open_, ''",
        seed=4,
    ),
    Bug(
        "a deduction counts twice",
        f"{DEDUCTIONS}:take_deduction",
        "if known is not None:",
        "import random\n    reference += str(len(list(account.deductions.all())))\n"
        "    if known is not None and False:",
        seed=3,
    ),
    Bug(
        "a deduction takes a unit too much",
        "kuaitui.deposits.rules.deductions:require_deductible",
        "return sum((item.amount for item in items), Money.zero(currency))",
        "return sum((item.amount for item in items), Money(1, currency))",
    ),
    Bug(
        "what is set aside for a deduction holds no refund of more up",
        "kuaitui.deposits.queries.for_policy:deposit_for_policy",
        "frozen_minor=frozen.minor,",
        "frozen_minor=0,",
        seed=10,
        world=World.HEARINGS_AND_REFUNDS,
    ),
    Bug(
        "an appeal that nobody answers gives back a part only",
        "kuaitui.deductions.operations.appeal:grant_unanswered",
        "_give_back(row, row.taken,",
        "_give_back(row, row.taken[:1],",
        world=World.HEARINGS,
    ),
    Bug(
        "an appeal is granted before its time to be answered is over",
        "kuaitui.deductions.rules:answer_lapses_at",
        "return max(lapses_at, decide_by(terms, heard_at=appealed_at))",
        "return decide_by(terms, heard_at=appealed_at)",
        world=World.HEARINGS,
    ),
    Bug(
        "a deduction is taken before its seller was heard",
        "kuaitui.deductions.rules:is_heard",
        "return replied_at is not None or now >= reply_until",
        "return True",
        world=World.HEARINGS,
    ),
    Bug(
        "whoever announced a deduction takes it",
        "kuaitui.deductions.operations.decide:take_items",
        "if actor.id in (row.announced_by, row.replied_by):",
        "if False:",
        world=World.HEARINGS,
    ),
    Bug(
        "another deduction takes what is set aside for one",
        f"{DEDUCTIONS}:_unsent_by_hold",
        ".filter(kind=HoldKind.APPLICATION)",
        ".filter()",
        world=World.HEARINGS,
    ),
    Bug(
        "a deduction that lapses keeps its money set aside",
        "kuaitui.deductions.operations.decide:end_untaken",
        "release(row, now=now)",
        "pass",
        world=World.HEARINGS,
    ),
    Bug(
        "what is given back is free though the shop owes",
        f"{DEDUCTIONS}:give_back_deduction",
        "off_the_debt = min(amount, balances(account.book_id).of(Account.RECEIVABLE))",
        "off_the_debt = Money.zero(amount.currency)",
        world=World.HEARINGS,
    ),
    Bug(
        "what is given back comes to no lot",
        f"{DEDUCTIONS}:give_back_deduction",
        "if to_available.is_positive:",
        "if False:",
        world=World.HEARINGS,
    ),
    Bug(
        "an appeal gives back more than was asked for",
        "kuaitui.deductions.operations.appeal:_give_back",
        "amount = rules.sum_of(rules.chosen(numbered(row), numbers), row.currency)",
        "numbers = row.taken\n"
        "    amount = rules.sum_of(rules.chosen(numbered(row), numbers), row.currency)",
        world=World.HEARINGS,
    ),
    Bug(
        "news heard again moves what has moved on",
        "kuaitui.refunds.operations.check:check_application",
        "if row.state != State.SUBMITTED:",
        "if False:",
        seed=3,
    ),
    Bug(
        "the approval's hash is not checked",
        f"{APPROVE}:require_binding",
        "if bound.approval_hash != approval_hash:",
        "if not approval_hash:",
        seed=2,
    ),
    Bug(
        "the checker may be the maker",
        f"{CONFIRM}:confirm_approval",
        "actor_id=actor.id\n",
        "actor_id='nobody'\n",
    ),
    Bug(
        "one person is enough for any amount",
        "kuaitui.refunds.rules:requires_second_approval",
        "return is_forced or repairs > 0 or amount >= second_approval_from",
        "return is_forced or repairs > 0",
    ),
    Bug(
        "whoever applies may approve",
        f"{APPROVE}:require_uninvolved",
        "if actor.id in (row.created_by, row.destination_set_by):",
        "if actor.id == '':",
        seed=6,
    ),
    Bug(
        "the rule approves any amount",
        "kuaitui.refunds.rules:may_approve_by_rule",
        "and amount <= limit",
        "",
    ),
    Bug(
        "the holding period ends a day early",
        "kuaitui.policy.terms:Period.after",
        "dt.timedelta(days=self.count)",
        "dt.timedelta(days=self.count - 1)",
    ),
    Bug(
        "the window of the way back is ignored",
        "kuaitui.deposits.types:WaysOut.takes_back",
        "lot.returns_by_original_route(now=now)",
        "True or lot.returns_by_original_route(now=now)",
        seed=2,
    ),
    Bug(
        "accepted is booked as settled",
        f"{RULES}:decide",
        "return Step(LegState.ACCEPTED, wait)",
        "return Step(LegState.ACCEPTED, wait, (PostingKind.SETTLED,))",
    ),
    Bug(
        "a notification is believed",
        "kuaitui.payouts.operations.control:_ask",
        "asked = legs.filter(state__in=ASKABLE).update(next_check_at=now)",
        "asked = legs.filter(state__in=ASKABLE).update("
        "next_check_at=now, state='paid', settled_at=now)",
    ),
    Bug(
        "news is dropped when its handler fails",
        "kuaitui.kit.outbox:_claim",
        "[now, limit, now + LEASE]",
        "[now, limit, now + LEASE * 100_000_000]",
    ),
    Bug(
        "a restore is not noticed",
        "kuaitui.payouts.operations.holds:hold_if_restored",
        "if last_send is not None and not knows_send(last_send):",
        "if False:",
        seed=30,
    ),
    Bug(
        "after a restore payouts are sent before they were asked about",
        f"{RULES}:must_ask",
        "return held_at is not None and (clear_since is None or clear_since < held_at)",
        "return False",
        seed=2,
    ),
    Bug(
        "a number does not follow from its payment",
        "kuaitui.payouts.rules.numbers:channel_number",
        'f"payout leg {nth} of {payment_reference} at {channel}"',
        "f'{nth} of {payment_reference}, held '"
        " + str(__import__('kuaitui.payouts.queries.holds', fromlist=['h']).last_held_at())",
        seed=28,
    ),
    Bug(
        "a payment that is confirmed again is not known",
        "kuaitui.deposits.operations.pay_in:enter_payment",
        "known = _find_lot(payment)",
        "known = None",
    ),
    Bug(
        "a payout goes to another account of the shop",
        "kuaitui.payouts.operations.begin:_target",
        "payee = payee_details(planned.destination_id)",
        "from kuaitui.deposits.models import DestinationRow\n"
        "    own = DestinationRow.objects.get(public_id=planned.destination_id)\n"
        "    row = DestinationRow.objects.filter(shop_key=own.shop_key, verified_at__isnull=False)\n"
        "    payee = payee_details(row.order_by('id').first().public_id)",
    ),
    Bug(
        "a payment that is told of again is entered again",
        f"{PLACING}:_has_its_place",
        "known = ChannelPayment.objects.filter("
        "channel=order.channel, reference=paid.reference).first()",
        "known = None",
        seed=2,
        world=World.PAY_INS,
    ),
    Bug(
        "what was asked for is entered, whatever was paid",
        f"{PLACING}:place_payment",
        "account.public_id, paid.amount, order.channel",
        "account.public_id, type(paid.amount)(order.amount_minor, order.currency), order.channel",
        seed=2,
        world=World.PAY_INS,
    ),
    Bug(
        "a payment after the end is thrown away",
        f"{PLACING}:place_payment",
        "    if why is not None:\n",
        "    if why is SuspenseReason.PAID_AFTER_CLOSING:\n        return\n"
        "    if why is not None:\n",
        seed=2,
        world=World.PAY_INS,
    ),
    Bug(
        "an order without an answer is forgotten",
        "kuaitui.deposits.rules.pay_ins:decide",
        "return PayInStep(_doubtful(facts, call), again, code)",
        "return PayInStep(_doubtful(facts, call), None, code)",
        world=World.PAY_INS,
    ),
    Bug(
        "what a channel told of an ended order is asked about once, answer or no answer",
        "kuaitui.deposits.rules.pay_ins:_ended",
        "if answer in NOTHING_SAID or is_hidden:",
        "if is_hidden:",
        seed=8,
        world=World.PAY_INS,
    ),
    Bug(
        "one person alone places a payment",
        "kuaitui.deposits.operations.suspense:confirm_resolution",
        "if row.proposed_by == actor.id:",
        "if not actor.id:",
        seed=3,
        world=World.PAY_INS,
    ),
    Bug(
        "what went back lies in suspense all the same",
        "kuaitui.deposits.operations.suspense:_note_sent_back",
        '_post(row, "suspense.sent_back", Account.FROZEN, Account.AT_CHANNEL, sent_at, now, way)',
        "pass",
        seed=3,
        world=World.PAY_INS,
    ),
    Bug(
        "a payment is sent back again instead of being asked about",
        "kuaitui.payouts.operations.send_backs:claim_send_back",
        "kind = next_kind(LegState(row.state), must_ask=is_uncertain)",
        "kind = AttemptKind.SEND",
        seed=2,
        world=World.PAY_INS,
    ),
)
