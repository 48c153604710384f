"""The Alipay adapter over real HTTP: what left, what was lost, and how long it takes at most."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from kuaitui.channels.alipay import AlipayChannel
from kuaitui.channels.port import (
    NotFound,
    OriginalPayment,
    PayoutInstruction,
    StatementFetched,
    StatementKind,
    Succeeded,
    Unknown,
)
from kuaitui.kernel.money import Money
from tests.support.alipay import DEADLINE_S, NOW, StandIn, settings, success
from tests.support.alipay_bills import trade_bill

REFUND, QUERY = "alipay.trade.refund", "alipay.trade.fastpay.refund.query"
BILL = "alipay.data.dataservice.bill.downloadurl.query"
SHORT_S = 0.5
TARGET = OriginalPayment("2026112522001", Money(500_000, "CNY"))
INSTRUCTION = PayoutInstruction("pay_1_a", Money(100, "CNY"), TARGET)
REFUNDED = success(trade_no=TARGET.payment_reference, fund_change="Y", refund_fee="1.00")
FOUND = success(
    trade_no=TARGET.payment_reference,
    out_request_no="pay_1_a",
    refund_amount="1.00",
    refund_status="REFUND_SUCCESS",
)


class Server(ThreadingHTTPServer):
    """Hands every request to the stand-in, and the answer back whole, late, in drops or not at all."""

    daemon_threads = True

    def __init__(self, stand_in: StandIn) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stand_in = stand_in
        self.loses_answer = False
        self.late_s = 0.0
        self.drips = False
        self.paths: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self) -> None:
        self.answer(b"")

    def answer(self, body: bytes) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.paths.append(self.path)
        request = httpx.Request(self.command, f"{server.base_url}{self.path}", content=body)
        response = server.stand_in.handle(request)
        if server.loses_answer:
            self.close_connection = True
            return
        time.sleep(server.late_s)
        self.send_response(response.status_code)
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        step = 1 if server.drips else len(response.content) or 1
        try:
            for at in range(0, len(response.content), step):
                self.wfile.write(response.content[at : at + step])
                time.sleep(0.05 if server.drips else 0)
        except OSError:
            self.close_connection = True  # whoever asked has given up

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    stand_in = StandIn()
    stand_in.will_answer(REFUND, REFUNDED)
    stand_in.will_answer(QUERY, FOUND)
    server = Server(stand_in)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def channel(server: Server) -> AlipayChannel:
    return AlipayChannel(settings(base_url=server.base_url), clock=lambda: NOW)


def test_a_refund_travels_in_the_body_alone(channel: AlipayChannel, server: Server) -> None:
    outcome = channel.submit(INSTRUCTION, deadline_s=DEADLINE_S)

    assert isinstance(outcome, Succeeded)
    assert server.paths == ["/gateway.do"]


def test_a_lost_answer_is_unknown_and_asked_about(channel: AlipayChannel, server: Server) -> None:
    server.loses_answer = True
    lost = channel.submit(INSTRUCTION, deadline_s=DEADLINE_S)
    server.loses_answer = False

    assert isinstance(lost, Unknown)
    assert isinstance(channel.query(INSTRUCTION, deadline_s=DEADLINE_S), Succeeded)
    assert [call.form["method"] for call in server.stand_in.calls] == [REFUND, QUERY]


def test_not_found_can_be_followed_by_done(channel: AlipayChannel, server: Server) -> None:
    server.stand_in.will_answer(QUERY, success())
    at_first = channel.query(INSTRUCTION, deadline_s=DEADLINE_S)
    server.stand_in.will_answer(QUERY, FOUND)

    assert at_first == NotFound()
    assert isinstance(channel.query(INSTRUCTION, deadline_s=DEADLINE_S), Succeeded)


@pytest.mark.parametrize("fault", ["late", "drips"])
def test_the_deadline_holds_for_the_whole_call(
    channel: AlipayChannel, server: Server, fault: str
) -> None:
    server.late_s, server.drips = (3.0, False) if fault == "late" else (0.0, True)
    started_s = time.monotonic()

    outcome = channel.submit(INSTRUCTION, deadline_s=SHORT_S)

    assert outcome == Unknown("deadline")
    assert time.monotonic() - started_s < SHORT_S + 2


def test_a_bill_is_fetched_from_the_address_that_was_told(
    channel: AlipayChannel, server: Server
) -> None:
    address = f"{server.base_url}/bill?id=1"
    server.stand_in.downloads = {address: httpx.Response(200, content=trade_bill())}
    server.stand_in.will_answer(BILL, success(bill_download_url=address))

    outcome = channel.fetch_statement(StatementKind.TRADES, NOW.date(), deadline_s=DEADLINE_S)

    assert isinstance(outcome, StatementFetched)
    assert channel.read_statement(StatementKind.TRADES, outcome.content).lines
