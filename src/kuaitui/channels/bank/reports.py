"""The bank's messages in: pain.002, camt.053, camt.054 and pacs.004, each to words.

A message is taken whole or refused whole. Pure: the same bytes give the same words on any day.
Source: reference §1.6; the versions that mock-bank writes, read by element names so that
neighbouring versions are read too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from kuaitui.channels.bank.amounts import moment_on, read_amount, read_date, read_moment
from kuaitui.channels.bank.markup import Element, parse
from kuaitui.channels.bank.reasons import SEEN_BEFORE
from kuaitui.channels.bank.words import (
    BankMessage,
    BankStatus,
    BankWord,
    FileWord,
    MessageKind,
    MessageRefused,
)
from kuaitui.kernel.money import Money

NOT_PROVIDED: Final = "NOTPROVIDED"
# ACSC and ACCC say settled; the money's own message is the booking, so they count as accepted.
STATUSES: Final = {
    "RCVD": BankStatus.SUBMITTED,
    "PDNG": BankStatus.SUBMITTED,
    "ACTC": BankStatus.SUBMITTED,
    "ACCP": BankStatus.ACCEPTED,
    "ACSP": BankStatus.ACCEPTED,
    "ACSC": BankStatus.ACCEPTED,
    "ACCC": BankStatus.ACCEPTED,
    "ACWC": BankStatus.ACCEPTED,
    "ACFC": BankStatus.ACCEPTED,
    "ACWP": BankStatus.ACCEPTED,
    "PATC": BankStatus.SUBMITTED,
    "RJCT": BankStatus.REJECTED,
}
PARTLY: Final = "PART"
RETURN_CODE: Final = "RRTN"


@dataclass(frozen=True, slots=True)
class Reading:
    """Against what a message is read: our account, its currency, the bank's local time."""

    account_number: str
    currency: str
    zone: ZoneInfo


def read_report(content: bytes, reading: Reading) -> BankMessage:
    """Read one message's bytes.

    Raises:
        MessageRefused: it is not a whole, sound message of our account.
    """
    document = parse(content)
    reader = READERS.get(document.definition)
    if reader is None:
        raise MessageRefused("message_unknown", where="line 1")
    return reader(document.root, reading)


def _pain002(root: Element, reading: Reading) -> BankMessage:
    group = root.need("OrgnlGrpInfAndSts")
    file_id = _file_id(group)
    at = read_moment(root.need("GrpHdr").say("CreDtTm"), reading.zone, where=root.where)
    words = tuple(
        _status_word(payment, file_id, at, reading)
        for block in root.all("OrgnlPmtInfAndSts")
        for payment in block.all("TxInfAndSts")
    )
    whole = [(group, "GrpSts"), *((block, "PmtInfSts") for block in root.all("OrgnlPmtInfAndSts"))]
    # Our files have one block each, so what is said of the block is said of the file.
    file_words = (
        ()
        if words
        else tuple(
            FileWord(file_id, _status(owner, owner.say(name), _reason(owner)), at, _reason(owner))
            for owner, name in whole
            if owner.say(name) not in {"", PARTLY}
        )[-1:]
    )
    if not words and not file_words:
        raise MessageRefused("says_nothing", where=group.where)
    return BankMessage(MessageKind.PAIN_002, _message_id(root), words, file_words)


def _file_id(group: Element) -> str:
    file_id = group.need("OrgnlMsgId").text
    if not file_id or file_id == NOT_PROVIDED:
        raise MessageRefused("file_not_named", where=group.where)
    return file_id


def _status_word(payment: Element, file_id: str, at: dt.datetime, reading: Reading) -> BankWord:
    code = _reason(payment)
    amount = payment.first("OrgnlTxRef/Amt/InstdAmt")
    return BankWord(
        number=_need_text(payment, "OrgnlEndToEndId"),
        status=_status(payment, payment.need("TxSts").text, code),
        occurred_at=at,
        amount=_amount(amount, reading) if amount is not None else None,
        code=code,
        instruction_id=payment.say("OrgnlInstrId"),
        file_id=file_id,
    )


def _status(where: Element, text: str, code: str) -> BankStatus:
    """A rejection for having been seen before says only that the bank has it.

    So does a status that nobody mapped, where it is one payment's: one word must not hide the others.
    """
    status = STATUSES.get(text)
    if status is None and text and where.name == "TxInfAndSts":
        return BankStatus.SUBMITTED
    if status is None:
        raise MessageRefused("status_unknown", where=where.where)
    if status is BankStatus.REJECTED and code in SEEN_BEFORE:
        return BankStatus.SUBMITTED
    return status


def _reason(where: Element) -> str:
    return where.say("StsRsnInf/Rsn/Cd")[:20]


def _camt053(root: Element, reading: Reading) -> BankMessage:
    statements = of_our_account(root, "Stmt", reading)
    words = tuple(
        word for one in statements for word in _booked(checked_statement(one, reading), reading)
    )
    days = tuple(
        day for one in statements if not _hides_payments(one) for day in days_of(one, reading)
    )
    return BankMessage(MessageKind.CAMT_053, _message_id(root), words, statement_days=days)


def of_our_account(root: Element, name: str, reading: Reading) -> list[Element]:
    """The statements or notices of our account, in our currency.

    A bank may tell of all accounts of its customer in one message, and of one account in each of its
    currencies.

    Raises:
        MessageRefused: there is none, or none of ours.
    """
    told = list(root.all(name))
    if not told:
        raise MessageRefused("says_nothing", where=root.where)
    ours = [one for one in told if _not_ours(one.need("Acct"), reading) is None]
    if not ours:
        _check_account(told[0].need("Acct"), reading)
    return ours


def _hides_payments(statement: Element) -> bool:
    """Whether a whole batch was booked as one sum: then it proves of no number that it is not there."""
    return any(
        is_booked(entry)
        and entry.first("NtryDtls/Btch") is not None
        and not any(part.say("Refs/EndToEndId") for part in entry.all("NtryDtls/TxDtls"))
        for entry in statement.all("Ntry")
    )


def _camt054(root: Element, reading: Reading) -> BankMessage:
    notices = of_our_account(root, "Ntfctn", reading)
    words = tuple(word for notice in notices for word in _booked(notice, reading))
    return BankMessage(MessageKind.CAMT_054, _message_id(root), words)


def checked_statement(statement: Element, reading: Reading) -> Element:
    """A statement whose balances are explained by its entries, or none at all."""
    _check_account(statement.need("Acct"), reading)
    balances = {
        balance.say("Tp/CdOrPrtry/Cd"): signed(balance, reading) for balance in statement.all("Bal")
    }
    # Banks tell what lay there before by one of two names: as the opening, or as the last closing.
    opening = balances.get("OPBD", balances.get("PRCD"))
    if opening is None or "CLBD" not in balances:
        raise MessageRefused("balance_missing", where=statement.where)
    entries = [entry for entry in statement.all("Ntry") if is_booked(entry)]
    moved = sum(signed(entry, reading) for entry in entries)
    if opening + moved != balances["CLBD"]:
        raise MessageRefused("totals_differ", where=statement.where)
    _check_summary(statement, entries, reading)
    return statement


def closing_minor(statement: Element, reading: Reading) -> int:
    """What a checked statement says lay on the account at its end."""
    return signed(_closing(statement), reading)


def _closing(statement: Element) -> Element:
    return next(one for one in statement.all("Bal") if one.say("Tp/CdOrPrtry/Cd") == "CLBD")


def _check_summary(statement: Element, entries: list[Element], reading: Reading) -> None:
    summary = statement.first("TxsSummry/TtlNtries")
    if summary is None:
        return
    count, total = summary.say("NbOfNtries"), summary.say("Sum")
    if count and count != str(len(entries)):
        raise MessageRefused("totals_differ", where=summary.where)
    sizes = sum(abs(signed(entry, reading)) for entry in entries)
    if total and read_amount(total, reading.currency, where=summary.where).minor != sizes:
        raise MessageRefused("totals_differ", where=summary.where)


def days_of(statement: Element, reading: Reading) -> Iterator[dt.date]:
    """The days a statement covers; one day, or the span it names."""
    span = statement.first("FrToDt")
    if span is None:
        closing = _closing(statement)
        yield read_date(closing.say("Dt/Dt"), where=closing.where)
        return
    first_at = read_moment(span.say("FrDtTm"), reading.zone, where=span.where)
    last_at = read_moment(span.say("ToDtTm"), reading.zone, where=span.where)
    first_on = read_date(span.say("FrDtTm"), where=span.where)
    last_on = read_date(span.say("ToDtTm"), where=span.where)
    if last_at < first_at or (last_on - first_on).days > 366:
        raise MessageRefused("span_unreadable", where=span.where)
    # A span that ends at midnight does not list that day.
    whole = (last_on - first_on).days + (span.say("ToDtTm")[11:19] != "00:00:00")
    yield from (first_on + dt.timedelta(days=index) for index in range(whole))


def _booked(owner: Element, reading: Reading) -> Iterator[BankWord]:
    written_at = read_moment(owner.say("CreDtTm"), reading.zone, where=owner.where)
    for entry in owner.all("Ntry"):
        if not is_booked(entry):
            continue
        _check_parts(entry, reading)
        for part in entry.all("NtryDtls/TxDtls"):
            number = part.say("Refs/EndToEndId")
            if number and number != NOT_PROVIDED and is_ours_or_back(entry, part):
                yield entry_word(entry, part, number, written_at, reading)


def is_ours_or_back(entry: Element, part: Element) -> bool:
    """What we paid, or what came back of it. A payer may write any number on money of his own."""
    if went_out(entry, part):
        return not _is_reversal(entry)
    codes = {one.say("BkTxCd/Domn/Fmly/SubFmlyCd") for one in (entry, part)}
    return part.first("RtrInf") is not None or RETURN_CODE in codes or _is_reversal(entry)


def _is_reversal(entry: Element) -> bool:
    """Whether an entry undoes an earlier one: a debit taken back, or a credit."""
    return entry.say("RvslInd") in {"true", "1"}


def went_out(entry: Element, part: Element) -> bool:
    """Whether money left our account by it."""
    return (part.say("CdtDbtInd") or entry.say("CdtDbtInd")) == "DBIT"


def _check_parts(entry: Element, reading: Reading) -> None:
    parts = list(entry.all("NtryDtls/TxDtls"))
    amounts = [amount for part in parts if (amount := _amount_of(part)) is not None]
    total = sum(_amount(amount, reading).minor for amount in amounts)
    if amounts and total != abs(signed(entry, reading)):
        raise MessageRefused("totals_differ", where=entry.where)
    if len(parts) > 1 and not amounts:
        raise MessageRefused("amount_unreadable", where=entry.where)


def _amount_of(part: Element) -> Element | None:
    """The amount of one part, where the version of the message has it."""
    return (
        part.first("Amt") or part.first("AmtDtls/TxAmt/Amt") or part.first("AmtDtls/InstdAmt/Amt")
    )


def entry_word(
    entry: Element, part: Element, number: str, written_at: dt.datetime, reading: Reading
) -> BankWord:
    """What one part of a booked entry says of a number."""
    has_left = went_out(entry, part)
    amount = _amount_of(part) or entry.need("Amt")
    booked_on = read_date(entry.say("BookgDt/Dt") or entry.say("BookgDt/DtTm"), where=entry.where)
    return BankWord(
        number=number,
        status=BankStatus.BOOKED if has_left else BankStatus.RETURNED,
        occurred_at=moment_on(booked_on, written_at, reading.zone),
        amount=_amount(amount, reading),
        code="" if has_left else _why_back(entry, part),
        reference=(part.say("Refs/AcctSvcrRef") or entry.say("AcctSvcrRef"))[:80],
        file_id=part.say("Refs/MsgId"),
    )


def _why_back(entry: Element, part: Element) -> str:
    return part.say("RtrInf/Rsn/Cd")[:20] or ("RVSL" if _is_reversal(entry) else "")


def _pacs004(root: Element, reading: Reading) -> BankMessage:
    at = read_moment(root.need("GrpHdr").say("CreDtTm"), reading.zone, where=root.where)
    parts = list(root.all("TxInf"))
    if not parts:
        raise MessageRefused("says_nothing", where=root.where)
    counted = root.say("GrpHdr/NbOfTxs")
    if counted and counted != str(len(parts)):
        raise MessageRefused("totals_differ", where=root.where)
    for part in parts:
        account = part.first("OrgnlTxRef/DbtrAcct")
        if account is not None:
            _check_account(account, reading)
    words = tuple(_return_word(part, at, reading) for part in parts)
    total = root.first("GrpHdr/TtlRtrdIntrBkSttlmAmt")
    if total is not None and _amount(total, reading).minor != sum(
        word.amount.minor for word in words if word.amount
    ):
        raise MessageRefused("totals_differ", where=total.where)
    return BankMessage(MessageKind.PACS_004, _message_id(root), words)


def _return_word(part: Element, at: dt.datetime, reading: Reading) -> BankWord:
    settled = part.say("IntrBkSttlmDt")
    moment = moment_on(read_date(settled, where=part.where), at, reading.zone) if settled else at
    return BankWord(
        number=_need_text(part, "OrgnlEndToEndId"),
        status=BankStatus.RETURNED,
        occurred_at=moment,
        amount=_amount(part.need("RtrdIntrBkSttlmAmt"), reading),
        code=part.say("RtrRsnInf/Rsn/Cd")[:20],
        reference=part.say("RtrId")[:80],
        instruction_id=part.say("OrgnlInstrId"),
        file_id=part.say("OrgnlGrpInf/OrgnlMsgId"),
    )


def _check_account(account: Element, reading: Reading) -> None:
    refused = _not_ours(account, reading)
    if refused is not None:
        raise refused


def _not_ours(account: Element, reading: Reading) -> MessageRefused | None:
    """Why an account is not the one that is read, if it is not."""
    number = account.say("Id/IBAN") or account.say("Id/Othr/Id")
    if "".join(number.split()) != "".join(reading.account_number.split()):
        return MessageRefused("another_account", where=account.where)
    if account.say("Ccy") not in {"", reading.currency}:
        return MessageRefused("another_currency", where=account.where)
    return None


def _amount(element: Element, reading: Reading) -> Money:
    if element.attributes.get("Ccy") != reading.currency:
        raise MessageRefused("another_currency", where=element.where)
    return read_amount(element.text, reading.currency, where=element.where)


def signed(owner: Element, reading: Reading) -> int:
    """Minor units; what came in positive, what went out negative."""
    minor = _amount(owner.need("Amt"), reading).minor
    match owner.say("CdtDbtInd"):
        case "CRDT":
            return minor
        case "DBIT":
            return -minor
        case _:
            raise MessageRefused("direction_missing", where=owner.where)


def is_booked(entry: Element) -> bool:
    """Whether the money has moved; an entry that is only announced is no money."""
    return (entry.say("Sts/Cd") or entry.say("Sts")) == "BOOK"


def _need_text(owner: Element, path: str) -> str:
    text = owner.need(path).text
    if not text:
        raise MessageRefused("element_missing", where=f"{owner.where}/{path}")
    return text


def _message_id(root: Element) -> str:
    return root.say("GrpHdr/MsgId")[:80]


READERS: Final[Mapping[str, Callable[[Element, Reading], BankMessage]]] = {
    "pain.002": _pain002,
    "camt.053": _camt053,
    "camt.054": _camt054,
    "pacs.004": _pacs004,
}
