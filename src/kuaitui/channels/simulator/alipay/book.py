"""The simulated Alipay's book: trades, refunds, transfers and the money that they move.

What lies on the account `transfers` has left the merchant and not yet arrived. A refund lies nowhere
between: as long as it is processed, nothing has moved (`fund_change` is `N`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kuaitui.channels.simulator.money_book import BANK, FEES, INSIDE, PAYEES, PAYERS, MoneyBook

SCHEMA = """
CREATE TABLE IF NOT EXISTS trade (
    out_trade_no TEXT PRIMARY KEY, trade_no TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    subject TEXT NOT NULL, total_minor INTEGER NOT NULL, notify_url TEXT NOT NULL,
    mode TEXT NOT NULL, token TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN
        ('OFFERED', 'WAIT_BUYER_PAY', 'TRADE_SUCCESS', 'TRADE_FINISHED', 'TRADE_CLOSED')),
    created_at REAL NOT NULL, expires_at REAL NOT NULL, visible_at REAL NOT NULL,
    buyer_id TEXT NOT NULL DEFAULT '', paid_minor INTEGER NOT NULL DEFAULT 0, paid_at REAL);
CREATE TABLE IF NOT EXISTS refund (
    trade_no TEXT NOT NULL, out_request_no TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('PROCESSING', 'SUCCESS', 'FAILED')),
    accepted_at REAL NOT NULL, visible_at REAL NOT NULL, due_at REAL NOT NULL,
    due_state TEXT NOT NULL, settled_at REAL, PRIMARY KEY (trade_no, out_request_no));
CREATE TABLE IF NOT EXISTS transfer (
    out_biz_no TEXT PRIMARY KEY, order_id TEXT NOT NULL UNIQUE,
    pay_fund_order_id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL, identity TEXT NOT NULL,
    is_to_card INTEGER NOT NULL, amount_minor INTEGER NOT NULL, remark TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('DEALING', 'SUCCESS', 'FAIL', 'REFUND')),
    error_code TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL, visible_at REAL NOT NULL,
    due_at REAL NOT NULL, due_error_code TEXT NOT NULL, settled_at REAL,
    returns_after_s REAL, return_code TEXT NOT NULL, returned_at REAL);
CREATE TABLE IF NOT EXISTS bill (
    token TEXT PRIMARY KEY, name TEXT NOT NULL, content BLOB NOT NULL, made_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS trade_waiting ON trade (expires_at)
    WHERE state IN ('OFFERED', 'WAIT_BUYER_PAY');
CREATE INDEX IF NOT EXISTS trade_paid ON trade (paid_at) WHERE state = 'TRADE_SUCCESS';
CREATE INDEX IF NOT EXISTS refund_waiting ON refund (due_at) WHERE state = 'PROCESSING';
CREATE INDEX IF NOT EXISTS transfer_waiting ON transfer (due_at) WHERE state = 'DEALING';
"""


class AlipayBook(MoneyBook):
    """The file of the simulated Alipay."""

    def __init__(
        self, file: str, *, clock: Callable[[], float], default_notify_url: str = ""
    ) -> None:
        super().__init__(file, clock=clock, schema=SCHEMA, default_notify_url=default_notify_url)

    @property
    def processing_s(self) -> float:
        """How long Alipay takes for what it does not do at once."""
        return float(self.setting("processing_s", "0"))

    def statement(self) -> dict[str, Any]:
        """Everything the channel knows, for whoever checks kuaitui's books against it."""
        with self.transaction():
            self.settle_due()
            accounts = (*INSIDE, PAYERS, PAYEES, BANK, FEES)
            return {
                "now": self.now(),
                "balances": {account: self.balance(account) for account in accounts},
                "trades": self.rows("SELECT * FROM trade ORDER BY created_at, out_trade_no"),
                "refunds": self.rows("SELECT * FROM refund ORDER BY accepted_at, rowid"),
                "transfers": self.rows("SELECT * FROM transfer ORDER BY created_at, out_biz_no"),
                "movements": self.rows("SELECT * FROM movement ORDER BY id"),
                "requests": self.rows("SELECT * FROM request ORDER BY id"),
                "notifications": self.rows("SELECT * FROM announcement ORDER BY id"),
                "paid": self.paid(),
                "collected": self._collected(),
            }

    def _collected(self) -> dict[str, dict[str, int]]:
        """Per paid trade: what was paid, what is on its way back and what has arrived there."""
        rows = self.rows(
            "SELECT t.trade_no, t.paid_minor,"
            " coalesce(sum(iif(r.state = 'SUCCESS', r.amount_minor, 0)), 0) AS refunded_minor,"
            " coalesce(sum(iif(r.state = 'PROCESSING', r.amount_minor, 0)), 0) AS refunding_minor"
            " FROM trade t LEFT JOIN refund r USING (trade_no) WHERE t.paid_at IS NOT NULL"
            " GROUP BY t.trade_no ORDER BY t.paid_at, t.trade_no"
        )
        return {row.pop("trade_no"): row for row in rows}
