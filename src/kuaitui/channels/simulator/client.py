"""The simulator's adapter: renders instructions, maps answers, raises for nothing the channel does."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kuaitui.channels.port import (
    Accepted,
    Acknowledgement,
    ChannelCapabilities,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    Notification,
    NotificationRefused,
    NotificationSubject,
    NotSent,
    OriginalPayment,
    PayeeKind,
    PayInMethod,
    PayInOrder,
    PayInOutcome,
    PayoutInstruction,
    QueryOutcome,
    RefusedBecause,
    RejectedConfig,
    Returned,
    Route,
    Statement,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementNotReady,
    StatementOutcome,
    SubmitOutcome,
    Succeeded,
    Unknown,
)
from kuaitui.channels.simulator.book import WANTS_AGAIN
from kuaitui.channels.simulator.collecting import PAY_INS, read_order_answer, render_order
from kuaitui.channels.simulator.signing import (
    NONCE_HEADER,
    SIGNATURE_HEADER,
    is_signed,
    shared_key,
    sign,
)
from kuaitui.channels.simulator.statements import read_bill
from kuaitui.channels.simulator.till import PAY_IN_PAID
from kuaitui.channels.wire import ANSWER_BYTES_MAX, Wire, WireReply

PAYOUTS = "/v1/payouts"
BILLS = "/v1/bills"
BILL_BYTES_MAX: Final = 64 * 1024 * 1024
# The errors whose meaning is written down. Every other error is Unknown.
REFUSALS: Final[dict[tuple[int, str], QueryOutcome]] = {
    (422, "ACCOUNT_CLOSED"): FailedDefinite("ACCOUNT_CLOSED"),
    (422, "ACCOUNT_NAME_MISMATCH"): FailedDefinite("ACCOUNT_NAME_MISMATCH"),
    (422, "PAYMENT_TOO_OLD"): FailedDefinite("PAYMENT_TOO_OLD"),
    (403, "NOT_ENOUGH"): FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True),
    (403, "NOT_PERMITTED"): RejectedConfig("NOT_PERMITTED"),
    (401, "SIGNATURE_WRONG"): RejectedConfig("SIGNATURE_WRONG"),
}
ACTIONS: Final = {action.name: action for action in NeededAction}


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Where the simulator is, and how long its promises hold."""

    base_url: str
    key: bytes
    not_found_floor_s: float = 600.0
    resend_window_s: float = 30 * 86400.0
    return_window_s: float = 30 * 86400.0
    original_window_s: float = 365 * 86400.0
    account: str = "simulator"
    """The account whose bills are read; another's are refused."""

    @classmethod
    def parse(cls, document: dict[str, Any]) -> SimulatorSettings:
        """Read one entry of the channel settings; the key lies in `key_file` or the environment."""
        settings = {name: document[name] for name in document if name != "key_file"}
        return cls(key=shared_key(Path(document["key_file"])), **settings)


class SimulatorChannel:
    """The port, spoken to the simulator."""

    def __init__(self, settings: SimulatorSettings, *, name: str = "simulator") -> None:
        self.name = name
        self._settings = settings
        self._wire = Wire(settings.base_url)
        self.capabilities = ChannelCapabilities(
            routes=frozenset(Route),
            not_found_floor=dt.timedelta(seconds=settings.not_found_floor_s),
            resend_window=dt.timedelta(seconds=settings.resend_window_s),
            return_window=dt.timedelta(seconds=settings.return_window_s),
            payee_kinds=frozenset(PayeeKind),
            original_window=dt.timedelta(seconds=settings.original_window_s),
            pay_in_methods=frozenset(PayInMethod),
            statement_kinds=frozenset(StatementKind),
        )

    def submit(self, instruction: PayoutInstruction, *, deadline_s: float) -> SubmitOutcome:
        """Hand the instruction over."""
        reply = self._call("POST", PAYOUTS, render(instruction), deadline_s)
        if not isinstance(reply, _Reply):
            return reply
        outcome = read_reply(reply, instruction)
        # A channel that has just been handed a number cannot not know it.
        return Unknown("not_found_after_submit") if isinstance(outcome, NotFound) else outcome

    def query(self, instruction: PayoutInstruction, *, deadline_s: float) -> QueryOutcome:
        """Ask what became of it."""
        reply = self._call("GET", f"{PAYOUTS}/{instruction.number}", b"", deadline_s)
        return read_reply(reply, instruction) if isinstance(reply, _Reply) else reply

    def fetch_statement(
        self, kind: StatementKind, day: dt.date, *, deadline_s: float
    ) -> StatementOutcome:
        """One day's bill. The signature of the answer vouches for every byte of it."""
        path = f"{BILLS}/{day.isoformat()}?kind={kind.value}"
        reply = self._call("GET", path, b"", deadline_s, answer_bytes_max=BILL_BYTES_MAX)
        if not isinstance(reply, _Reply):
            return reply
        if reply.status == 200:
            return StatementFetched(reply.content, f"{day.isoformat()}-{kind.value}.json")
        return _read_missing_bill(reply)

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        """Read a bill's bytes.

        Raises:
            StatementRefused: it is not a whole, sound bill of this account.
        """
        return read_bill(kind, content, account=self._settings.account)

    def open_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let the channel wait for the payer."""
        return self._ask_about_order(
            "POST", PAY_INS, order, deadline_s, body=render_order(order), is_opening=True
        )

    def query_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Ask whether it was paid."""
        return self._ask_about_order("GET", f"{PAY_INS}/{order.number}", order, deadline_s)

    def close_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let nobody pay it any more."""
        return self._ask_about_order("POST", f"{PAY_INS}/{order.number}/close", order, deadline_s)

    def _ask_about_order(
        self,
        method: str,
        path: str,
        order: PayInOrder,
        deadline_s: float,
        *,
        body: bytes = b"",
        is_opening: bool = False,
    ) -> PayInOutcome:
        reply = self._call(method, path, body, deadline_s)
        if not isinstance(reply, _Reply):
            return reply
        base_url = self._settings.base_url
        return read_order_answer(
            reply.status, reply.content, order, base_url=base_url, is_opening=is_opening
        )

    acknowledgement = Acknowledgement()

    def read_notification(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        now: dt.datetime,  # noqa: ARG002 - this channel signs no time
    ) -> Notification | NotificationRefused:
        """The number a genuine notification speaks of."""
        nonce = headers.get(NONCE_HEADER, "")
        if not is_signed(
            self._settings.key, headers.get(SIGNATURE_HEADER, ""), nonce.encode(), body
        ):
            return NotificationRefused(RefusedBecause.FORGED)
        try:
            document = json.loads(body)
            number, event_id = document["number"], document.get("id", nonce)
            is_pay_in = document.get("state") == PAY_IN_PAID
        except (ValueError, TypeError, KeyError, AttributeError):
            return NotificationRefused(RefusedBecause.UNREADABLE)
        if not isinstance(number, str):
            return NotificationRefused(RefusedBecause.UNREADABLE)
        subject = NotificationSubject.PAY_IN if is_pay_in else NotificationSubject.PAYOUT
        return Notification(str(event_id), subject, number)

    def _call(
        self,
        method: str,
        path: str,
        body: bytes,
        deadline_s: float,
        *,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> _Reply | NotSent | Unknown:
        nonce = secrets.token_hex(16)
        key = self._settings.key
        signature = sign(key, method.encode(), path.encode(), nonce.encode(), body)
        reply = self._wire.call(
            method,
            path,
            content=body,
            headers={NONCE_HEADER: nonce, SIGNATURE_HEADER: signature},
            deadline_s=deadline_s,
            answer_bytes_max=answer_bytes_max,
        )
        if not isinstance(reply, WireReply):
            return reply
        signed = reply.headers.get(SIGNATURE_HEADER, "")
        if not is_signed(key, signed, str(reply.status).encode(), nonce.encode(), reply.content):
            return Unknown("signature_wrong")
        return _Reply(reply.status, reply.content)


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer whose signature is right."""

    status: int
    content: bytes


def render(instruction: PayoutInstruction) -> bytes:
    """The request, the same bytes for the same instruction every time."""
    target = instruction.target
    if isinstance(target, OriginalPayment):
        payee: dict[str, str] = {"number": target.payment_reference}
    else:
        payee = {
            "number": target.account_number,
            "holder": target.holder_name,
            "bank": target.bank_name,
        }
    document = {
        "number": instruction.number,
        "amount_minor": instruction.amount.minor,
        "currency": instruction.amount.currency,
        "route": instruction.route.value,
        "target": payee,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def read_reply(reply: _Reply, instruction: PayoutInstruction) -> QueryOutcome:
    """What a properly signed answer means. Whatever is not written down here is Unknown."""
    try:
        document = json.loads(reply.content)
    except ValueError:
        return Unknown("unreadable")
    if not isinstance(document, dict):
        return Unknown("unreadable")
    if reply.status == 404 and document.get("code") == "NUMBER_UNKNOWN":
        return NotFound()
    if reply.status != 200:
        known = REFUSALS.get((reply.status, str(document.get("code"))))
        return known or Unknown(f"http_{reply.status}")
    echo = (document.get("number"), document.get("amount_minor"), document.get("currency"))
    if echo != (instruction.number, instruction.amount.minor, instruction.amount.currency):
        return Unknown("echo_mismatch")
    try:
        return _read_state(document)
    except (KeyError, TypeError, ValueError, OverflowError):
        return Unknown("unreadable")


def _read_missing_bill(reply: _Reply) -> StatementOutcome:
    try:
        code = json.loads(reply.content)["code"]
    except (ValueError, TypeError, KeyError):
        return Unknown("unreadable")
    match reply.status, code:
        case 404, "BILL_NOT_READY":
            return StatementNotReady()
        case 404, "NO_BILL":
            return StatementEmpty()
        case 401, "SIGNATURE_WRONG":
            return RejectedConfig("SIGNATURE_WRONG")
        case _:
            return Unknown(f"http_{reply.status}")


def _read_state(document: dict[str, Any]) -> QueryOutcome:
    reference = str(document["reference"])
    code = str(document["code"])
    match document["state"]:
        case "PROCESSING":
            return Accepted(reference, wants_again=code == WANTS_AGAIN)
        case "PAID":
            return Succeeded(reference, _moment(document["paid_at"]))
        case "FAILED":
            return FailedDefinite(code)
        case "RETURNED":
            return Returned(reference, code, _moment(document["returned_at"]))
        case "ACTION" if code in ACTIONS:
            return NeedsAction(ACTIONS[code], reference)
        case _:
            return Unknown("state_unmapped")


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
