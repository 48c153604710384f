"""Payment files out: pain.001.001.09, one or many payments of one account on one day.

The same payments make the same bytes, whenever: nothing in the file is read from a clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from kuaitui.channels.bank.amounts import write_amount
from kuaitui.channels.bank.words import instruction_id
from kuaitui.channels.port import PayeeAccount, PayoutInstruction
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
ID_LENGTH_MAX: Final = 35
NAME_LENGTH_MAX: Final = 140
BIC_LENGTHS: Final = frozenset({8, 11})
CNAPS_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, repr=False)
class OwnAccount:
    """The account we pay from. Its `repr` shows the tail only."""

    number: str
    holder_name: str
    bank_code: str
    """The BIC of our bank, or its 联行号."""
    currency: str

    def __repr__(self) -> str:
        return f"OwnAccount(…{self.number[-4:]})"


def write_pain001(
    payments: Sequence[PayoutInstruction], *, account: OwnAccount, file_id: str, execute_on: dt.date
) -> bytes:
    """The file that asks for these payments on that day.

    `file_id` is the MsgId, by which a bank knows a file that comes twice.
    """
    ensure(len(payments) > 0, "a payment file holds a payment")
    ensure(0 < len(file_id) <= ID_LENGTH_MAX, "a file id has 35 characters at most")
    currencies = {payment.amount.currency for payment in payments}
    ensure(currencies == {account.currency}, "an account pays in its own currency")
    ensure(len({payment.number for payment in payments}) == len(payments), "a number stands once")
    total = sum((payment.amount for payment in payments), start=Money.zero(account.currency))
    totals = _tag("NbOfTxs", str(len(payments))) + _tag("CtrlSum", write_amount(total))
    header = _tag(
        "GrpHdr",
        raw=_tag("MsgId", file_id)
        + _tag("CreDtTm", f"{execute_on.isoformat()}T00:00:00")
        + totals
        + _tag("InitgPty", raw=_tag("Nm", account.holder_name[:NAME_LENGTH_MAX])),
    )
    block = _tag(
        "PmtInf",
        raw=_tag("PmtInfId", file_id)
        + _tag("PmtMtd", "TRF")
        # Booked one by one: a bank that books a batch as one sum says nothing of its payments.
        + _tag("BtchBookg", "false")
        + totals
        + _tag("ReqdExctnDt", raw=_tag("Dt", execute_on.isoformat()))
        + _tag("Dbtr", raw=_tag("Nm", account.holder_name[:NAME_LENGTH_MAX]))
        + _tag("DbtrAcct", raw=_account_id(account.number))
        + _tag("DbtrAgt", raw=_bank(account.bank_code, ""))
        + "".join(_payment(payment) for payment in payments),
    )
    body = _tag("CstmrCdtTrfInitn", raw=header + block)
    document = f'<Document xmlns="{NAMESPACE}">{body}</Document>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}\n'.encode()


def _payment(payment: PayoutInstruction) -> str:
    payee = payment.target
    assert isinstance(payee, PayeeAccount)  # the capabilities name the designated route only
    amount = write_amount(payment.amount)
    ids = _tag("InstrId", instruction_id(payment)) + _tag("EndToEndId", payment.number)
    return _tag(
        "CdtTrfTxInf",
        raw=_tag("PmtId", raw=ids)
        + f'<Amt><InstdAmt Ccy="{payment.amount.currency}">{amount}</InstdAmt></Amt>'
        + _tag("CdtrAgt", raw=_bank(payee.bank_code, payee.bank_name))
        + _tag("Cdtr", raw=_tag("Nm", payee.holder_name[:NAME_LENGTH_MAX]))
        + _tag("CdtrAcct", raw=_account_id(payee.account_number))
        + _tag("RmtInf", raw=_tag("Ustrd", payment.number)),
    )


def _account_id(number: str) -> str:
    compact = "".join(number.split())
    is_iban = compact.isascii() and compact[:2].isalpha() and compact[2:4].isdigit()
    inner = _tag("IBAN", compact.upper()) if is_iban else _tag("Othr", raw=_tag("Id", compact))
    return _tag("Id", raw=inner)


def _bank(code: str, name: str) -> str:
    if len(code) in BIC_LENGTHS and code[:6].isalpha():
        inner = _tag("BICFI", code.upper())
    elif code:
        # A 联行号 is a number of China's clearing system, which the code list calls CNAPS.
        is_cnaps = len(code) == CNAPS_DIGITS and code.isascii() and code.isdigit()
        system = _tag("ClrSysId", raw=_tag("Cd", "CNAPS")) if is_cnaps else ""
        inner = _tag("ClrSysMmbId", raw=system + _tag("MmbId", code))
    else:
        inner = ""
    if name:
        inner += _tag("Nm", name[:NAME_LENGTH_MAX])
    return _tag("FinInstnId", raw=inner)


def _tag(name: str, text: str = "", *, raw: str = "") -> str:
    return f"<{name}>{raw or escape(_printable(text))}</{name}>"


def _printable(text: str) -> str:
    """Without what XML 1.0 cannot hold; a control character in a name is never meant."""
    return "".join(" " if not char.isprintable() else char for char in text).strip()
