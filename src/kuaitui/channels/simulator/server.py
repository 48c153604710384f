"""The simulated channel as an HTTP server: its clients' calls, `/_sim/` for who directs it.

    POST /v1/payouts            take an instruction in
    GET  /v1/payouts/NUMBER     what became of it
    POST /v1/pay-ins            wait for a payer
    GET  /v1/pay-ins/NUMBER     whether somebody paid
    POST /v1/pay-ins/NUMBER/close
    GET|POST /sim/pay/NUMBER    the payer's own page: unsigned, as a payer is nobody we know
    GET  /v1/bills/DAY?kind=K   what happened on a day: `trades` or `funds`
    POST /_sim/collect          {"reference": "…", "amount_minor": 1, …}: somebody pays in
    POST /_sim/pay              {"number": "…", "anyhow": true}: somebody pays an order
    POST /_sim/return           {"number": "…", "code": "…"}: give a paid amount back now

The other directions are in `serving`; settings are balance_minor, balance_floor_minor,
forgets_numbers, processing_s and bill_delay_s. Every request and every answer is signed with the shared key.
"""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from typing import cast

from kuaitui.channels.simulator.bills import make_bill
from kuaitui.channels.simulator.book import Book, Request
from kuaitui.channels.simulator.collecting import PAY_INS, PAY_PAGES
from kuaitui.channels.simulator.faults import Fault, Faults, Operation
from kuaitui.channels.simulator.pay_page import pay_page
from kuaitui.channels.simulator.serving import (
    CallHandler,
    Directive,
    Document,
    Reply,
    SimulatorServer,
)
from kuaitui.channels.simulator.signing import NONCE_HEADER, SIGNATURE_HEADER, sign
from kuaitui.channels.simulator.store import ChannelRefuses
from kuaitui.channels.simulator.till import (
    OrderRequest,
    close_order,
    find_order,
    open_order,
    pay_order,
)

PAYOUTS = "/v1/payouts"
BILLS = "/v1/bills/"


class Answer(Exception):  # noqa: N818 - how a step ends the call early
    """What goes back over the wire."""

    def __init__(self, status: int, document: Document) -> None:
        super().__init__(status)
        self.status = status
        self.document = document

    @classmethod
    def error(cls, status: int, code: str) -> Answer:
        """An answer that refuses."""
        return cls(status, {"code": code})


def _return(book: Book, document: Directive) -> Document:
    book.return_now(document["number"], document.get("code", "ACCOUNT_CLOSED"))
    return {}


def _collect(book: Book, document: Directive) -> Document:
    reference = str(document["reference"])
    number, currency = document.get("number", reference), document.get("currency", "CNY")
    book.collect(reference, str(number), int(document["amount_minor"]), str(currency))
    return {}


def _pay(book: Book, document: Directive) -> Document:
    amount = document.get("amount_minor")
    return pay_order(
        book,
        str(document["number"]),
        amount_minor=None if amount is None else int(amount),
        anyhow=document.get("anyhow") is True,
    )


class Handler(CallHandler):
    """One call."""

    directions = {
        ("POST", "/_sim/return"): _return,
        ("POST", "/_sim/collect"): _collect,
        ("POST", "/_sim/pay"): _pay,
    }

    def answer_call(self, body: bytes) -> None:
        """Check the signature, do what is asked, answer."""
        if self.path.startswith(f"{PAY_PAGES}/"):
            number = self.path.removeprefix(f"{PAY_PAGES}/")
            self.write(pay_page(self._book, number, is_paying=self.command == "POST"))
            return
        try:
            if not self.is_signed_by_director(body):
                raise Answer.error(HTTPStatus.UNAUTHORIZED, "SIGNATURE_WRONG")
            operation, number, tail = self._what_is_asked(body)
            faults = self._book.draw_faults(operation, number, tail)
            answer = self._carry_out(operation, number, body, faults)
        except Answer as early:
            self.write(self._render(early, Faults(())))
            return
        if answer is None:
            self._book.note(operation, number, "nothing")
            self.hang_up()
            return
        answer = _distort(answer, faults)
        self._book.note(operation, number, str(answer.document.get("state", answer.status)))
        self.write_with(faults, self._render(answer, faults))

    @property
    def _book(self) -> Book:
        return cast("Book", self._simulator.store)

    def _what_is_asked(self, body: bytes) -> tuple[Operation, str, str]:
        if self.command == "POST" and self.path == PAYOUTS:
            request = _parse(body)
            return Operation.SUBMIT, request.number, request.tail
        number = self.path.removeprefix(f"{PAYOUTS}/")
        if self.command == "GET" and number != self.path and "/" not in number:
            return Operation.QUERY, number, self._book.tail_of(number)
        if self.command == "GET" and self.path.startswith(BILLS):
            return Operation.STATEMENT, self.path.removeprefix(BILLS), ""
        if self.path.startswith(PAY_INS):
            return self._what_is_asked_of_the_till(body)
        raise Answer.error(HTTPStatus.NOT_FOUND, "NO_SUCH_ADDRESS")

    def _what_is_asked_of_the_till(self, body: bytes) -> tuple[Operation, str, str]:
        number, _, act = self.path.removeprefix(PAY_INS).removeprefix("/").partition("/")
        match self.command, bool(number), act:
            case "POST", False, "":
                return Operation.OPEN_PAY_IN, _parse_order(body).number, ""
            case "GET", True, "":
                return Operation.QUERY_PAY_IN, number, ""
            case "POST", True, "close":
                return Operation.CLOSE_PAY_IN, number, ""
            case _:
                raise Answer.error(HTTPStatus.NOT_FOUND, "NO_SUCH_ADDRESS")

    def _carry_out(
        self, operation: Operation, number: str, body: bytes, faults: Faults
    ) -> Answer | None:
        """Take in or look up; nothing means that the caller never hears."""
        stopped = faults.before_acceptance()
        if stopped is not None:
            return self._keep_out(stopped, faults, body)
        try:
            document = self._look_up(operation, number, body, faults)
        except ChannelRefuses as refusal:
            return Answer.error(refusal.status, refusal.code)
        if document is None:
            return Answer.error(HTTPStatus.NOT_FOUND, "NUMBER_UNKNOWN")
        return None if Fault.DROP_ANSWER in faults else Answer(200, document)

    def _look_up(
        self, operation: Operation, number: str, body: bytes, faults: Faults
    ) -> Document | None:
        match operation:
            case Operation.SUBMIT:
                return self._book.accept(_parse(body), faults)
            case Operation.STATEMENT:
                return make_bill(self._book, number)
            case Operation.OPEN_PAY_IN:
                return open_order(self._book, _parse_order(body))
            case Operation.QUERY_PAY_IN:
                return find_order(self._book, number)
            case Operation.CLOSE_PAY_IN:
                return close_order(self._book, number)
            case _:
                return self._book.find(number)

    def _keep_out(self, fault: Fault, faults: Faults, body: bytes) -> Answer | None:
        match fault:
            case Fault.REFUSE:
                return Answer.error(HTTPStatus.UNPROCESSABLE_ENTITY, faults.code(fault))
            case Fault.NOT_PERMITTED:
                return Answer.error(HTTPStatus.FORBIDDEN, "NOT_PERMITTED")
            case Fault.ERROR_BEFORE:
                return Answer.error(HTTPStatus.INTERNAL_SERVER_ERROR, "SYSTEM_ERROR")
            case Fault.BUSY_BEFORE:
                return Answer.error(HTTPStatus.TOO_MANY_REQUESTS, "BUSY")
            case Fault.ACCEPT_LATER:
                later = threading.Timer(
                    faults.seconds(fault), self._book.accept, (_parse(body), Faults(()))
                )
                later.daemon = True
                later.start()
        return None

    def _render(self, answer: Answer, faults: Faults) -> Reply:
        content = json.dumps(answer.document).encode()
        if Fault.GARBAGE in faults:
            content = b"<html>\xff not what you asked for"
        key = b"another key" if Fault.BAD_SIGNATURE in faults else self._simulator.key
        nonce = self.headers.get(NONCE_HEADER, "")
        signature = sign(key, str(int(answer.status)).encode(), nonce.encode(), content)
        return Reply(answer.status, content, {SIGNATURE_HEADER: signature})


def serve(*, host: str, port: int, book: Book, key: bytes) -> SimulatorServer:
    """The simulated channel on a port, 0 for a free one."""
    return SimulatorServer(host=host, port=port, store=book, key=key, handler=Handler)


def _parse_order(body: bytes) -> OrderRequest:
    try:
        return OrderRequest.parse(body)
    except ValueError as problem:
        raise Answer.error(HTTPStatus.BAD_REQUEST, "NOT_UNDERSTOOD") from problem


def _parse(body: bytes) -> Request:
    try:
        document = json.loads(body)
        request = Request(
            number=str(document["number"]),
            amount_minor=document["amount_minor"],
            currency=str(document["currency"]),
            route=str(document["route"]),
            target=str(document["target"]["number"]),
            body=body,
        )
    except (ValueError, TypeError, KeyError) as problem:
        raise Answer.error(HTTPStatus.BAD_REQUEST, "NOT_UNDERSTOOD") from problem
    if type(request.amount_minor) is not int or request.amount_minor <= 0 or not request.number:
        raise Answer.error(HTTPStatus.BAD_REQUEST, "NOT_UNDERSTOOD")
    return request


def _distort(answer: Answer, faults: Faults) -> Answer:
    """Replace the right answer by a wrong one."""
    if Fault.ERROR_AFTER in faults:
        return Answer.error(HTTPStatus.INTERNAL_SERVER_ERROR, "SYSTEM_ERROR")
    if Fault.BUSY_AFTER in faults:
        return Answer.error(HTTPStatus.TOO_MANY_REQUESTS, "BUSY")
    if Fault.NEW_CODE in faults:
        return Answer.error(HTTPStatus.BAD_REQUEST, "CODE_OF_TOMORROW")
    changes: dict[str, object] = {}
    if Fault.OTHER_AMOUNT in faults:
        changes["amount_minor"] = 1
    if Fault.OTHER_NUMBER in faults:
        changes["number"] = "somebody-elses"
    return Answer(answer.status, {**answer.document, **changes})
