"""Payee accounts: entered by the seller, vouched for by somebody else, never edited."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.channels.port import PayeeKind
from kuaitui.deposits.errors import (
    BankNameMissing,
    BankNameTooLong,
    DestinationUnknown,
    HolderNameMissing,
    HolderNameTooLong,
)
from kuaitui.deposits.events import DestinationAdded
from kuaitui.deposits.models import DestinationRow
from kuaitui.deposits.queries.destinations import seal_context, to_destination
from kuaitui.deposits.rules import (
    DESTINATION_COOL_DOWN,
    parse_account_number,
    parse_alipay_account,
    parse_bank_code,
    tail_of,
)
from kuaitui.deposits.types import Destination
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kit.encryption import keyring
from kuaitui.kit.outbox import publish

NAME_LENGTH_MAX = 120
# Who keeps the account, where a bank account has its bank: pages show it the same way.
ALIPAY: Final = "支付宝 Alipay"
WECHAT: Final = "微信 WeChat"


@dataclass(frozen=True, slots=True)
class _Entered:
    """A payee account as it was read. `written` is what its fingerprint is made of."""

    kind: PayeeKind
    holder_name: str
    bank_name: str
    number: str = field(repr=False)
    written: str = field(repr=False)
    bank_code: str = ""
    is_company: bool = False


@transaction.atomic(durable=True)
def add_destination(
    *,
    shop_key: int,
    holder_name: str,
    bank_name: str,
    account_number: str,
    actor: Actor,
    now: dt.datetime,
    bank_code: str = "",
    is_company: bool = False,
    cool_down: dt.timedelta = DESTINATION_COOL_DOWN,
) -> Destination:
    """Enter a bank account to pay to. The number is sealed at once; people see its last four digits.

    The first account of a shop can be used at once, a further one after `cool_down`, so that its
    owner has time to say "that was not me". The same account entered again is the one known.

    Raises:
        HolderNameMissing, HolderNameTooLong, BankNameMissing, BankNameTooLong: what is wrong.
        AccountNumberMissing, AccountNumberNotDigits, AccountNumberTooShort, AccountNumberTooLong,
        AccountNumberMistyped: what is wrong with the number.
        BankCodeMistyped: it is no 联行号 and no BIC.
    """
    holder, bank = _names(holder_name, bank_name)
    number = parse_account_number(account_number)
    code = parse_bank_code(bank_code)
    written = f"{shop_key}|{holder}|{bank}|{number}"
    if code or is_company:
        # An approval binds all that the channel is told; without either it is the old fingerprint.
        written += f"|{code}|{'company' if is_company else 'person'}"
    entered = _Entered(
        PayeeKind.BANK_ACCOUNT, holder, bank, number, written, bank_code=code, is_company=is_company
    )
    return _enter(entered, shop_key=shop_key, actor=actor, cool_down=cool_down, now=now)


@transaction.atomic(durable=True)
def add_alipay_account(
    *,
    shop_key: int,
    holder_name: str,
    account_number: str,
    actor: Actor,
    now: dt.datetime,
    cool_down: dt.timedelta = DESTINATION_COOL_DOWN,
) -> Destination:
    """Enter an Alipay account to pay to, by its log-in name. All else is as for a bank account.

    Raises:
        HolderNameMissing, HolderNameTooLong: what is wrong with the name.
        AlipayAccountMissing, AlipayAccountMistyped: what is wrong with the log-in name.
    """
    holder, keeper = _names(holder_name, ALIPAY)
    account = parse_alipay_account(account_number)
    written = f"{shop_key}|{holder}|{PayeeKind.ALIPAY_ACCOUNT}|{account}"
    entered = _Entered(PayeeKind.ALIPAY_ACCOUNT, holder, keeper, account, written)
    return _enter(entered, shop_key=shop_key, actor=actor, cool_down=cool_down, now=now)


@transaction.atomic(durable=True)
def add_wechat_user(
    *,
    shop_key: int,
    holder_name: str,
    openid: str,
    actor: Actor,
    now: dt.datetime,
    cool_down: dt.timedelta = DESTINATION_COOL_DOWN,
) -> Destination:
    """Enter a WeChat user to pay to, as WeChat itself named them: nobody types an openid.

    It is one under the appid of the channel that named it, and no other pays it. All else is as for
    a bank account.

    Raises:
        HolderNameMissing, HolderNameTooLong: what is wrong with the name.
    Source: reference §1.2; WeChat compares the name from 2,000 yuan on.
    """
    holder, keeper = _names(holder_name, WECHAT)
    written = f"{shop_key}|{holder}|{PayeeKind.WECHAT_USER}|{openid}"
    entered = _Entered(PayeeKind.WECHAT_USER, holder, keeper, openid, written)
    return _enter(entered, shop_key=shop_key, actor=actor, cool_down=cool_down, now=now)


def _enter(
    entered: _Entered, *, shop_key: int, actor: Actor, cool_down: dt.timedelta, now: dt.datetime
) -> Destination:
    fingerprint = keyring().blind(entered.written, purpose="destination")
    known = DestinationRow.objects.filter(shop_key=shop_key, fingerprint=fingerprint).first()
    if known is not None:
        return to_destination(known)
    is_change = DestinationRow.objects.filter(shop_key=shop_key).exists()
    public_id = new_id(IdPrefix.DESTINATION, now=now)
    sealed = keyring().seal(entered.number, context=seal_context(public_id, shop_key))
    row, is_new = DestinationRow.objects.get_or_create(
        shop_key=shop_key,
        fingerprint=fingerprint,
        defaults={
            "public_id": public_id,
            "holder_name": entered.holder_name,
            "bank_name": entered.bank_name,
            "number_sealed": sealed.content,
            "number_key_id": sealed.key_id,
            "number_blind": keyring().blind(entered.number, purpose="account_number"),
            "tail4": tail_of(entered.number, kind=entered.kind),
            "kind": entered.kind.value,
            "bank_code": entered.bank_code,
            "is_company": entered.is_company,
            "added_by": actor.id,
            "added_at": now,
            "usable_from": now + cool_down if is_change else now,
        },
    )
    if is_new:
        record(
            actor=actor, action="destination.added", object_id=public_id, shop_key=shop_key, now=now
        )
        publish(DestinationAdded(shop_key, public_id), now=now)
    return to_destination(row)


@transaction.atomic(durable=True)
def verify_destination(*, destination_id: str, actor: Actor, now: dt.datetime) -> None:
    """Vouch that the account belongs to the shop's owner. Idempotent: the first voucher stands.

    The database refuses whoever entered the account.

    Raises:
        DestinationUnknown: there is no such account.
    """
    row = DestinationRow.objects.select_for_update().filter(public_id=destination_id).first()
    if row is None:
        raise DestinationUnknown(destination=destination_id)
    if row.verified_at is not None:
        return
    row.verified_at = now
    row.verified_by = actor.id
    row.save(update_fields=["verified_at", "verified_by"])
    record(
        actor=actor,
        action="destination.verified",
        object_id=destination_id,
        shop_key=row.shop_key,
        now=now,
    )


def _names(holder_name: str, bank_name: str) -> tuple[str, str]:
    holder = _on_one_line(holder_name)
    bank = _on_one_line(bank_name)
    if not holder:
        raise HolderNameMissing
    if len(holder) > NAME_LENGTH_MAX:
        raise HolderNameTooLong(length_max=NAME_LENGTH_MAX)
    if not bank:
        raise BankNameMissing
    if len(bank) > NAME_LENGTH_MAX:
        raise BankNameTooLong(length_max=NAME_LENGTH_MAX)
    return holder, bank


def _on_one_line(text: str) -> str:
    """Signs that cannot be seen go: they could turn what staff read around, and copies carry them."""
    words = ("".join(filter(str.isprintable, word)) for word in text.split())
    return " ".join(word for word in words if word)
