"""Payouts through a bank for tests: legs that wait for a batch, and what the bank says of them."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import Any

from kuaitui.channels.bank import BankChannel, BatchFormat
from kuaitui.channels.registry import Channels, build_channels
from kuaitui.kernel.actor import Actor
from kuaitui.payouts import operations, queries
from kuaitui.payouts.queries import StoredInbox
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind
from kuaitui.policy.calendar import is_working_day
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.bank_given import ACCOUNT
from tests.support.given import NOW

BANK = "bank"
HEAD = "指令号,币种,金额,状态,日期,原因,银行流水号"
_numbers = count(1)


def bank_in_settings(settings: Any, **entry: Any) -> None:
    """Let this installation pay bank accounts through a bank; `files` unless said otherwise."""
    settings.KUAITUI_CHANNELS = {
        **settings.KUAITUI_CHANNELS,
        BANK: {
            "account_number": ACCOUNT,
            "account_name": "快退科技有限公司",
            "bank_code": "MOCKNL2A",
            **entry,
        },
    }
    settings.KUAITUI_PAYERS = {"bank_account": BANK}


def channels(settings: Any) -> Channels:
    return build_channels(
        settings.KUAITUI_CHANNELS,
        clock=lambda: NOW,
        inbox=StoredInbox(),
        is_business_day=is_working_day,
    )


def bank(settings: Any) -> BankChannel:
    return channels(settings).batching(BANK)


def waiting(amount: str = "¥10,000", *, approved_by: tuple[str, ...] = (), **more: Any) -> pg.World:
    """A payout of one leg that waits for a batch."""
    return pg.payout(
        amount,
        deposit_=amount,
        application_id=f"rfa_bank{next(_numbers)}",
        route_open=False,
        approved_by=approved_by,
        **more,
    )


def released(
    channel: BankChannel, *, builder: Actor | None = None, releaser: Actor | None = None, now=NOW
) -> str:
    """A released batch of everything that waits."""
    batch_id = operations.build_batch(channel=channel, actor=builder or given.reviewer(), now=now)
    operations.release_batch(
        channel=channel,
        batch_id=batch_id,
        content_hash=queries.batch(batch_id).content_hash,
        actor=releaser or given.approver(),
        now=now,
    )
    return batch_id


def carry_out(settings: Any, world: pg.World, *, now: dt.datetime = NOW) -> LegState | None:
    """One attempt at the leg, with the real adapter."""
    channel = bank(settings)
    claim = operations.claim_leg(leg_id=world.leg_id, pace=pg.PACE, now=now)
    if claim is None:
        return None
    call = channel.submit if claim.kind is AttemptKind.SEND else channel.query
    return operations.record_outcome(
        claim=claim,
        outcome=call(claim.instruction, deadline_s=5),
        capabilities=channel.capabilities,
        pace=pg.PACE,
        now=now,
    )


def result(world: pg.World, status: str, *, release_no: int = 1, reason: str = "") -> str:
    """One row of a table of results."""
    leg = queries.leg(world.leg_id)
    amount = f"{leg.amount.to_decimal():f}"
    return f"{leg.channel_number}{release_no:02d},CNY,{amount},{status},2026-11-23,{reason},R1"


def bring(settings: Any, *rows: str, now: dt.datetime = NOW, confirm: bool = True) -> Any:
    """Two people bring and confirm a table of results."""
    content = "\r\n".join([HEAD, *rows]).encode("utf-8-sig")
    taken = operations.bring_message(
        channel=bank(settings), content=content, actor=given.reviewer(), now=now
    )
    if confirm and not taken.refused_because:
        operations.confirm_message(message_no=taken.message_no, actor=given.approver(), now=now)
    return taken


def file_of(
    settings: Any, batch_id: str, form: BatchFormat = BatchFormat.CSV, *, finding: str = ""
) -> bytes:
    return operations.make_batch_file(
        channel=bank(settings),
        batch_id=batch_id,
        form=form,
        finding=finding,
        actor=given.reviewer(),
        now=NOW,
    ).content
