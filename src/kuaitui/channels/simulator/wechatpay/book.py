"""The simulated WeChat Pay's book, and what it tells the merchant.

What lies on the account `transfers` is locked until its payee confirms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kuaitui.channels.simulator.money_book import BANK, FEES, INSIDE, PAYEES, PAYERS, MoneyBook
from kuaitui.channels.simulator.store import ChannelRefuses

SCHEMA = """
CREATE TABLE IF NOT EXISTS trade (
    out_trade_no TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, trade_type TEXT NOT NULL,
    description TEXT NOT NULL, attach TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    notify_url TEXT NOT NULL, token TEXT NOT NULL UNIQUE, is_closed INTEGER NOT NULL DEFAULT 0,
    is_paid INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL, expires_at REAL NOT NULL, visible_at REAL NOT NULL,
    offered_until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS payment (
    transaction_id TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    openid TEXT NOT NULL, paid_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS refund (
    out_refund_no TEXT PRIMARY KEY, refund_id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    transaction_id TEXT NOT NULL, out_trade_no TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    reason TEXT NOT NULL, notify_url TEXT NOT NULL, state TEXT NOT NULL,
    is_funded INTEGER NOT NULL, received_account TEXT NOT NULL, target TEXT NOT NULL,
    accepted_at REAL NOT NULL, visible_at REAL NOT NULL, due_at REAL, due_state TEXT,
    settled_at REAL, plan TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS transfer (
    out_bill_no TEXT PRIMARY KEY, transfer_bill_no TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    openid TEXT NOT NULL, amount_minor INTEGER NOT NULL, remark TEXT NOT NULL,
    notify_url TEXT NOT NULL, state TEXT NOT NULL, fail_reason TEXT NOT NULL DEFAULT '',
    package_info TEXT NOT NULL UNIQUE, created_at REAL NOT NULL, updated_at REAL NOT NULL,
    visible_at REAL NOT NULL, expires_at REAL NOT NULL, closes_at REAL NOT NULL,
    due_at REAL, due_state TEXT, due_reason TEXT NOT NULL DEFAULT '',
    confirmed_fails TEXT NOT NULL DEFAULT '', plan TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS identity (
    code TEXT PRIMARY KEY, openid TEXT NOT NULL, made_at REAL NOT NULL,
    is_spent INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS bill (
    token TEXT PRIMARY KEY, content BLOB NOT NULL, made_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS trade_waiting ON trade (expires_at) WHERE NOT is_closed AND NOT is_paid;
CREATE INDEX IF NOT EXISTS payment_of_trade ON payment (out_trade_no);
CREATE INDEX IF NOT EXISTS refund_of_payment ON refund (transaction_id);
CREATE INDEX IF NOT EXISTS refund_waiting ON refund (accepted_at) WHERE state = 'PROCESSING';
CREATE INDEX IF NOT EXISTS transfer_due ON transfer (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS transfer_waiting ON transfer (closes_at)
    WHERE state = 'WAIT_USER_CONFIRM';
"""


class WechatPayBook(MoneyBook):
    """The file of the simulated WeChat Pay."""

    def __init__(
        self, file: str, *, clock: Callable[[], float], default_notify_url: str = ""
    ) -> None:
        super().__init__(file, clock=clock, schema=SCHEMA, default_notify_url=default_notify_url)

    def statement(self) -> dict[str, Any]:
        """Everything the channel knows, for whoever checks kuaitui's books against it."""
        with self.transaction():
            self.settle_due()
            accounts = (*INSIDE, PAYERS, PAYEES, BANK, FEES)
            return {
                "now": self.now(),
                "balances": {account: self.balance(account) for account in accounts},
                "trades": self.rows("SELECT * FROM trade ORDER BY created_at, out_trade_no"),
                "payments": self.rows("SELECT * FROM payment ORDER BY paid_at, transaction_id"),
                "refunds": self.rows("SELECT * FROM refund ORDER BY accepted_at, out_refund_no"),
                "transfers": self.rows("SELECT * FROM transfer ORDER BY created_at, out_bill_no"),
                "movements": self.rows("SELECT * FROM movement ORDER BY id"),
                "requests": self.rows("SELECT * FROM request ORDER BY id"),
                "notifications": self.rows("SELECT * FROM announcement ORDER BY id"),
                "paid": self.paid(),
                "collected": self._collected(),
            }

    def _collected(self) -> dict[str, dict[str, int]]:
        """Per payment: what was paid, what is on its way back and what has arrived there."""
        rows = self.rows(
            "SELECT p.transaction_id, p.amount_minor AS paid_minor,"
            " coalesce(sum(iif(r.state = 'SUCCESS', r.amount_minor, 0)), 0) AS refunded_minor,"
            " coalesce(sum(iif(r.state IN ('PROCESSING', 'ABNORMAL'), r.amount_minor, 0)), 0)"
            " AS refunding_minor"
            " FROM payment p LEFT JOIN refund r USING (transaction_id)"
            " GROUP BY p.transaction_id ORDER BY p.paid_at, p.transaction_id"
        )
        return {row.pop("transaction_id"): row for row in rows}


def refuse(code: str, message: str) -> ChannelRefuses:
    """A refusal with the HTTP status that belongs to its code."""
    return ChannelRefuses(STATUSES.get(code, 400), code, message)


# Source: the error tables of the refund, order, transfer and bill pages. What is not here is 400.
STATUSES: Final = {
    "SIGN_ERROR": 401,
    "NO_AUTH": 403,
    "NOT_ENOUGH": 403,
    "USER_ACCOUNT_ABNORMAL": 403,
    "OUT_TRADE_NO_USED": 403,
    "ORDER_NOT_EXIST": 404,
    "ORDERNOTEXIST": 404,
    "RESOURCE_NOT_EXISTS": 404,
    "NOT_FOUND": 404,
    "FREQUENCY_LIMITED": 429,
    "SYSTEM_ERROR": 500,
}
