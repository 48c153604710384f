"""The simulated bank as an HTTP server.

POST /payments       a pain.001
GET  /mailbox        [{"id": …, "kind": "camt.053", "body": "<?xml …"}]

POST /_sim/return    {"number": "…", "code": "AC04"}: what was booked comes back
"""

from __future__ import annotations

import base64
import hmac
import json
from http import HTTPStatus
from typing import cast

from kuaitui.channels.simulator.bank.book import BankBook, draw
from kuaitui.channels.simulator.bank.messages import PaymentFile, read_payment_file
from kuaitui.channels.simulator.faults import Fault, Faults, Operation
from kuaitui.channels.simulator.serving import (
    CallHandler,
    Directions,
    Directive,
    Document,
    Reply,
    SimulatorServer,
)
from kuaitui.channels.simulator.store import ChannelRefuses

NOBODY = Faults(())


class BankServer(SimulatorServer):
    """One simulated bank on one port; `credentials` is `user:password`."""

    def __init__(
        self, *, host: str, port: int, book: BankBook, key: bytes, credentials: str
    ) -> None:
        super().__init__(host=host, port=port, store=book, key=key, handler=BankHandler)
        self.book = book
        self.credentials = credentials


class BankHandler(CallHandler):
    """One call."""

    @property
    def directions(self) -> Directions:
        """What its director may ask besides."""
        return {("POST", "/_sim/return"): _return}

    @property
    def _bank(self) -> BankServer:
        return cast("BankServer", self.server)

    def answer_call(self, body: bytes) -> None:
        """Take a file in, or list the mailbox."""
        if not self._is_customer():
            self.write(Reply(HTTPStatus.UNAUTHORIZED))
        elif (self.command, self.path) == ("POST", "/payments"):
            self._take(body)
        elif (self.command, self.path) == ("GET", "/mailbox"):
            content = json.dumps(self._bank.book.mailbox(), ensure_ascii=False).encode()
            self._bank.book.note(Operation.QUERY, "", "mailbox")
            self.write(Reply(HTTPStatus.OK, content))
        else:
            self.write(Reply(HTTPStatus.NOT_FOUND))

    def _is_customer(self) -> bool:
        token = base64.b64encode(self._bank.credentials.encode()).decode()
        given = self.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Basic {token}".encode())

    def _take(self, body: bytes) -> None:
        try:
            file = read_payment_file(body)
            faults = draw(self._bank.book, file)
            if self._keeps_out(file, faults):
                return
            self._bank.book.take(file, faults)
        except ChannelRefuses as refusal:
            self.write(_refused(refusal))
            return
        first = faults[file.orders[0].number]
        self._bank.book.note(Operation.SUBMIT, file.orders[0].number, "taken")
        if Fault.DROP_ANSWER in first:
            self.hang_up()
        elif Fault.ERROR_AFTER in first:
            self.write(Reply(HTTPStatus.INTERNAL_SERVER_ERROR))
        else:
            self.write_with(first, Reply(HTTPStatus.ACCEPTED))

    def _keeps_out(self, file: PaymentFile, faults: dict[str, Faults]) -> bool:
        """Whether the file never gets in, as the first payment's faults want it."""
        first = faults.get(file.orders[0].number, NOBODY)
        if Fault.DROP_BEFORE in first:
            self.hang_up()
        elif Fault.ERROR_BEFORE in first:
            self.write(Reply(HTTPStatus.INTERNAL_SERVER_ERROR))
        elif Fault.BUSY_BEFORE in first:
            self.write(Reply(HTTPStatus.TOO_MANY_REQUESTS))
        else:
            return False
        return True


def _refused(refusal: ChannelRefuses) -> Reply:
    content = json.dumps({"code": refusal.code, "problem": refusal.message}).encode()
    return Reply(refusal.status, content)


def _return(book: BankBook, document: Directive) -> Document:
    book.return_now(str(document["number"]), str(document.get("code", "AC04")))
    return {}
