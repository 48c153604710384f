"""Messages of a bank: what is written, what is read, and what is refused with line and reason."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
import sepaxml
import xmlschema

from kuaitui.channels.bank import (
    BankStatus,
    BatchFormat,
    MessageRefused,
    Transport,
    split_instruction_id,
)
from kuaitui.channels.bank.reasons import SEEN_BEFORE, TABLE, rejection
from kuaitui.channels.bank.words import instruction_id
from kuaitui.channels.port import (
    NO_RELEASE_KNOWN,
    Accepted,
    FailedDefinite,
    LineKind,
    NotFound,
    Returned,
    StatementKind,
    StatementRefused,
    Succeeded,
    Unknown,
)
from kuaitui.channels.registry import build_channels
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import Money
from tests.support.bank_given import ACCOUNT, MONDAY, PAYEE, HeldInbox, channel, instruction

ISO = "urn:iso:std:iso:20022:tech:xsd:"
SCHEMAS = Path(sepaxml.__file__).parent / "schemas"
DAY = dt.timedelta(days=1)
NUMBER = instruction().number
ACCT = f"<Acct><Id><IBAN>{ACCOUNT}</IBAN></Id><Ccy>CNY</Ccy></Acct>"


def entry(amount: str = "12.34", *, direction: str = "DBIT", more: str = "", currency: str = "CNY"):
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'
        "<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-23</Dt></BookgDt>"
        "<AcctSvcrRef>R1</AcctSvcrRef><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{NUMBER}</EndToEndId></Refs>"
        f'<Amt Ccy="{currency}">{amount}</Amt>{more}</TxDtls></NtryDtls></Ntry>'
    )


def balance(code: str, amount: str):
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-23</Dt></Dt></Bal>'
    )


def camt053(
    *entries: str, account: str = ACCT, opening: str = "100.00", closing: str = "87.66"
) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{ISO}camt.053.001.08">'
        "<BkToCstmrStmt><GrpHdr><MsgId>S1</MsgId></GrpHdr>\n<Stmt>"
        "<CreDtTm>2026-11-24T01:00:00+00:00</CreDtTm>"
        f"{account}{balance('OPBD', opening)}{balance('CLBD', closing)}\n{''.join(entries)}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def pain002(status: str = "RJCT", code: str = "AC04", *, file_id: str = f"{NUMBER}01") -> bytes:
    return (
        f'<Document xmlns="{ISO}pain.002.001.10"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>P1</MsgId><CreDtTm>2026-11-23T02:00:00</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{file_id}</OrgnlMsgId><GrpSts>{status}</GrpSts>"
        f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


def read(content: bytes):
    return channel().read_message(content)


def refused(content: bytes) -> MessageRefused:
    with pytest.raises(MessageRefused) as caught:
        read(content)
    return caught.value


@pytest.mark.parametrize("version", ["pain.001.001.09"])
def test_a_payment_file_is_valid_by_the_published_schema(version: str) -> None:
    schema = xmlschema.XMLSchema(SCHEMAS / f"{version}.xsd")
    payments = [
        instruction(),
        instruction("leg2", "1.00", payee=replace(PAYEE, holder_name="A & <B>", bank_code="")),
        instruction("leg3", "99999999.99", payee=replace(PAYEE, bank_code="CMBCCNBS")),
        instruction("leg4", "1.00", payee=replace(PAYEE, bank_code="102100099996")),
    ]

    file = channel().render_batch(
        payments, file_id="bat1", execute_on=MONDAY, form=BatchFormat.PAIN_001
    )

    schema.validate(io.BytesIO(file.content))
    assert b"<CtrlSum>100000014.33</CtrlSum>" in file.content
    assert file.content.count(b"<Cd>CNAPS</Cd></ClrSysId><MmbId>102100099996</MmbId>") == 1
    assert file.name == "bat1-2026-11-23.xml"


def test_the_same_payment_makes_the_same_bytes_and_another_release_another_file_id() -> None:
    first, again = channel().render(instruction()), channel().render(instruction())
    released_again = channel().render(instruction(release_no=2))

    assert first == again
    assert f"<MsgId>{NUMBER}01</MsgId>".encode() in first
    assert f"<MsgId>{NUMBER}02</MsgId>".encode() in released_again
    assert f"<EndToEndId>{NUMBER}</EndToEndId>".encode() in released_again


def test_a_batch_as_a_table_runs_no_formula_and_keeps_every_digit() -> None:
    mean = replace(PAYEE, holder_name='=HYPERLINK("x")', account_number="6222 0202 0000 1234 562")

    file = channel().render_batch(
        [instruction(payee=mean)], file_id="bat1", execute_on=MONDAY, form=BatchFormat.CSV
    )

    assert file.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert rows == [
        {
            "序号": "1", "指令号": f"{NUMBER}01", "收款户名": '\'=HYPERLINK("x")',
            "收款账号": "6222020200001234562", "收款银行": "招商银行", "联行号": "308584000013",
            "币种": "CNY", "金额": "12.34", "用途": NUMBER,
        }
    ]  # fmt: skip


def results(*rows: str, head: str = "指令号,币种,金额,状态,日期,原因,银行流水号") -> bytes:
    return "\r\n".join([head, *rows]).encode("utf-8-sig")


def test_results_come_in_as_a_table() -> None:
    message = read(
        results(
            f"{NUMBER}01,CNY,12.34,BOOKED,2026-11-23,,R1",
            "",
            "leg201,CNY,1,rejected,2026-11-23,AC04,",
        )
    )

    booked, rejected = message.words
    assert (booked.number, booked.status, booked.amount) == (
        NUMBER,
        BankStatus.BOOKED,
        Money(1234, "CNY"),
    )
    assert (rejected.number, rejected.status, rejected.code) == (
        "leg2",
        BankStatus.REJECTED,
        "AC04",
    )
    assert booked.occurred_at == dt.datetime(2026, 11, 23, 15, 59, 59, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("row", "reason", "where"),
    [
        (f"{NUMBER}01,CNY,12.345,BOOKED,2026-11-23,,", "amount_unreadable", "line 3 金额"),
        (f'{NUMBER}01,CNY,"1,234",BOOKED,2026-11-23,,', "amount_unreadable", "line 3 金额"),
        (f"{NUMBER}01,EUR,12.34,BOOKED,2026-11-23,,", "another_currency", "line 3 币种"),
        (f"{NUMBER}01,CNY,12.34,DONE,2026-11-23,,", "status_unknown", "line 3 状态"),
        (f"{NUMBER}01,CNY,12.34,BOOKED,23.11.2026,,", "date_unreadable", "line 3 日期"),
        (f"{NUMBER},CNY,12.34,BOOKED,2026-11-23", "cells_miscounted", "line 3"),
        ("?,CNY,12.34,BOOKED,2026-11-23,,", "number_unreadable", "line 3 指令号"),
        ("leg101,CNY,1,BOOKED,2026-11-23,,", "number_twice", "leg101"),
        ('"leg1', "not_well_formed", "line 3"),
    ],
)
def test_a_table_with_one_bad_row_is_refused_whole(row: str, reason: str, where: str) -> None:
    found = refused(results("leg101,CNY,1,BOOKED,2026-11-23,,", row))

    assert (found.reason, found.where) == (reason, where)


def test_a_table_of_another_encoding_is_refused_with_its_line() -> None:
    gbk = results("leg101,CNY,1,BOOKED,2026-11-23,,") + "\r\n王".encode("gbk")

    assert (refused(gbk).reason, refused(gbk).where) == ("not_utf_8", "line 3")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", results()])
def test_a_table_without_the_columns_or_rows_is_refused(content: bytes) -> None:
    assert refused(content).reason in {"column_missing", "says_nothing"}


def test_a_statement_says_what_was_booked_and_which_day_is_whole() -> None:
    message = read(camt053(entry()))

    assert [(word.number, word.status) for word in message.words] == [(NUMBER, BankStatus.BOOKED)]
    assert message.statement_days == (MONDAY,)


def test_what_lay_there_before_may_be_told_as_the_last_closing() -> None:
    content = camt053(entry()).replace(b"OPBD", b"PRCD")

    assert [word.number for word in read(content).words] == [NUMBER]
    assert refused(content.replace(b"87.66", b"87.67")).reason == "totals_differ"


def several_accounts(*statements: bytes) -> bytes:
    """One message with the statements of several."""
    inner = [
        one[one.index(b"<Stmt>") : one.index(b"</Stmt>") + len(b"</Stmt>")] for one in statements
    ]
    return statements[0].replace(inner[0], b"".join(inner))


def test_of_a_message_with_several_accounts_only_ours_is_read() -> None:
    other = camt053(entry("50.00"), account=ACCT.replace(ACCOUNT, "NL00"), closing="50.00")
    both = several_accounts(other, camt053(entry()))

    (word,) = read(both).words
    bill = channel().read_statement(StatementKind.FUNDS, both)

    assert word.amount == Money(1234, "CNY")
    assert [(line.number, line.amount) for line in bill.lines] == [(NUMBER, Money(1234, "CNY"))]
    assert refused(several_accounts(other, other)).reason == "another_account"


def test_of_an_account_in_several_currencies_only_ours_is_read() -> None:
    dollars = camt053(entry(currency="USD"), account=ACCT.replace("CNY", "USD"))

    assert [word.number for word in read(several_accounts(dollars, camt053(entry()))).words] == [
        NUMBER
    ]


def test_of_notices_about_several_accounts_only_ours_is_read() -> None:
    def notices(*accounts: str) -> bytes:
        told = "".join(
            f"<Ntfctn><CreDtTm>2026-11-23T02:00:00</CreDtTm>{account}{entry()}</Ntfctn>"
            for account in accounts
        )
        return (
            f'<Document xmlns="{ISO}camt.054.001.08"><BkToCstmrDbtCdtNtfctn>'
            f"<GrpHdr><MsgId>N1</MsgId></GrpHdr>{told}</BkToCstmrDbtCdtNtfctn></Document>"
        ).encode()

    other = ACCT.replace(ACCOUNT, "NL00")

    assert [word.number for word in read(notices(other, ACCT)).words] == [NUMBER]
    assert refused(notices(other)).reason == "another_account"


def test_money_that_a_payer_sends_under_our_number_is_no_return() -> None:
    came_in = camt053(entry(direction="CRDT"), closing="112.34")
    came_back = camt053(
        entry(direction="CRDT", more="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"), closing="112.34"
    )

    assert read(came_in).words == ()
    assert [(word.status, word.code) for word in read(came_back).words] == [
        (BankStatus.RETURNED, "AC04")
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (camt053(entry(), account=ACCT.replace(ACCOUNT, "NL00")), "another_account"),
        (camt053(entry(), account=ACCT.replace("CNY", "EUR")), "another_currency"),
        (camt053(entry(currency="EUR")), "another_currency"),
        (camt053(entry(), closing="87.67"), "totals_differ"),
        (camt053(), "totals_differ"),
        (camt053(entry("12.340")), "amount_unreadable"),
        (camt053(entry("-12.34")), "amount_unreadable"),
        (camt053(entry().replace("DBIT", "BOTH")), "direction_missing"),
        (camt053(entry()).replace(b"2026-11-23</Dt></BookgDt>", b"x</Dt></BookgDt>"), "date_unreadable"),
        (camt053(entry()).replace(b"OPBD", b"XXXX"), "balance_missing"),
        (camt053(entry())[:-9], "not_well_formed"),
        (camt053(entry()).replace(b"R1", b"\xff"), "not_well_formed"),
        (camt053(entry()).replace(b'"UTF-8"', b'"ISO-8859-1"'), "not_utf_8"),
        (camt053(entry()).replace(b"camt.053.001.08", b"camt.999.001.08"), "message_unknown"),
        (b"<a/>", "not_iso_20022"),
        (b'<!DOCTYPE d [<!ENTITY e "x">]><d>&e;</d>', "document_type"),
        (b"<" + b" " * (8 * 1024 * 1024), "too_large"),
        (b"<a>" * 100, "too_large"),
        (pain002("ODD"), "status_unknown"),
        (pain002(file_id="NOTPROVIDED"), "file_not_named"),
        (pain002(""), "says_nothing"),
    ],
)  # fmt: skip
def test_a_message_that_is_not_sound_is_refused_whole(content: bytes, reason: str) -> None:
    found = refused(content)

    assert found.reason == reason


def test_a_refusal_names_line_and_element() -> None:
    assert refused(camt053(entry("12.345"))).where == "line 4 Amt"


def test_the_parts_of_an_entry_add_up_to_it() -> None:
    two = entry().replace('<Ntry><Amt Ccy="CNY">12.34', '<Ntry><Amt Ccy="CNY">24.68')

    assert refused(camt053(two, closing="75.32")).reason == "totals_differ"


def test_having_been_seen_before_is_no_rejection() -> None:
    for code in SEEN_BEFORE:
        assert read(pain002(code=code)).file_words[0].status is BankStatus.SUBMITTED
    assert read(pain002(code="FF01")).file_words[0].status is BankStatus.REJECTED


def test_a_reason_that_is_not_in_the_table_is_unknown() -> None:
    assert isinstance(rejection("ZZ99"), Unknown)
    assert isinstance(rejection(""), Unknown)
    assert not SEEN_BEFORE & set(TABLE)
    assert rejection("AC04") == FailedDefinite("AC04")


def test_an_instruction_id_is_taken_apart_as_it_was_put_together() -> None:
    assert split_instruction_id(instruction_id(instruction(release_no=7))) == (NUMBER, 7)
    assert split_instruction_id("?") is None


def test_two_accounts_of_banks_are_two_channels_from_plain_settings() -> None:
    entry_ = {"account_number": "1", "account_name": "x", "bank_code": "y", "cut_off": "16:30"}
    settings = {"icbc": {"adapter": "bank", **entry_}, "bank": entry_}

    made = build_channels(settings, clock=read_clock)

    assert all(made.get(name).capabilities.is_batched for name in made.names)
    assert (
        made.batching("icbc").execution_day(dt.datetime(2026, 11, 23, 8, 29, tzinfo=dt.UTC))
        == MONDAY
    )
    assert ACCOUNT not in repr(channel()._settings) + repr(channel()._account)


def test_a_channel_without_an_inbox_answers_nothing() -> None:
    assert channel(None).query(instruction(), deadline_s=1) == Unknown("inbox_missing")
    assert channel(None, transport=Transport.FILES).is_carried_by_people


def test_where_no_release_is_known_a_word_says_that_the_bank_has_it_and_a_rejection_does_not() -> (
    None
):
    """After a restore: what was released in the history that was lost is found by its words."""
    inbox = HeldInbox()
    forgotten = instruction(release_no=NO_RELEASE_KNOWN)
    for transport in Transport:
        bank = channel(inbox, transport=transport)
        assert bank.query(forgotten, deadline_s=1) == Unknown("no_word_yet")

        inbox.take(bank, pain002("ACTC", ""))
        assert bank.query(forgotten, deadline_s=1) == Accepted("")
        inbox.take(bank, pain002())
        assert bank.query(forgotten, deadline_s=1) == Accepted(""), "it may be of another release"

        inbox.said.clear()
        inbox.take(bank, pain002())
        assert bank.query(forgotten, deadline_s=1) == Unknown("no_word_yet")
        inbox.days = {MONDAY + n * DAY for n in range(5)}
        assert bank.query(forgotten, deadline_s=1) == NotFound()
        inbox.days.clear()


def test_what_a_restore_forgot_is_not_found_only_by_the_statements_of_all_the_days_it_covers() -> (
    None
):
    """It may have been executed on any day between the backup and the hold."""
    inbox = HeldInbox()
    bank = channel(inbox)
    forgotten = replace(instruction(release_no=NO_RELEASE_KNOWN), executed_until=MONDAY + 2 * DAY)
    week = {MONDAY + n * DAY for n in range(5)}
    for missing in week:
        inbox.days = week - {missing}
        assert bank.query(forgotten, deadline_s=1) == Unknown("no_word_yet")

    inbox.days = week
    assert bank.query(forgotten, deadline_s=1) == NotFound()


def words_of(*entries: str, **balances: str) -> list[tuple[BankStatus, str, str]]:
    message = read(camt053(*entries, **balances))
    return [(word.status, str(word.amount), word.code) for word in message.words]


def test_a_debit_that_the_bank_took_back_is_a_return_and_a_credit_taken_back_no_booking() -> None:
    undone = "<RvslInd>true</RvslInd><Sts>"
    back = entry(direction="CRDT").replace("<Sts>", undone)
    not_booked = entry("5.00").replace("<Sts>", undone)

    found = words_of(entry(), back, not_booked, closing="95.00")

    assert [(status, code) for status, _, code in found] == [
        (BankStatus.BOOKED, ""),
        (BankStatus.RETURNED, "RVSL"),
    ]


def test_parts_of_an_entry_have_their_own_amounts_in_every_version() -> None:
    part = f"<TxDtls><Refs><EndToEndId>{NUMBER}</EndToEndId></Refs><AmtDtls><TxAmt>"
    part += '<Amt Ccy="CNY">{amount}</Amt></TxAmt></AmtDtls></TxDtls>'
    other = part.replace(NUMBER, "OTHER").format(amount="2.34")
    head, _, tail = entry().partition("<TxDtls>")
    whole = head + part.format(amount="10.00") + other + tail.partition("</TxDtls>")[2]

    assert [amount for _, amount, _ in words_of(whole)] == ["CNY 10.00", "CNY 2.34"]
    with pytest.raises(MessageRefused, match="amount_unreadable"):
        words_of(re.sub("<AmtDtls>.*?</AmtDtls>", "", whole))


def test_a_day_on_which_a_batch_was_booked_as_one_sum_proves_nothing_of_its_payments() -> None:
    lump = re.sub(
        "<TxDtls>.*</TxDtls>", "<Btch><NbOfTxs>2</NbOfTxs></Btch>", entry(), flags=re.DOTALL
    )

    assert read(camt053(lump)).statement_days == ()
    assert read(camt053(entry())).statement_days == (MONDAY,)


def test_one_status_that_nobody_knows_does_not_hide_the_others() -> None:
    told = "".join(
        f"<TxInfAndSts><OrgnlInstrId>{number}01</OrgnlInstrId><OrgnlEndToEndId>{number}"
        f"</OrgnlEndToEndId><TxSts>{status}</TxSts></TxInfAndSts>"
        for number, status in ((NUMBER, "RJCT"), ("X1", "ACWC"), ("X2", "NEW1"))
    )
    content = (
        pain002("PART")
        .decode()
        .replace(
            "</CstmrPmtStsRpt>",
            f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>F</OrgnlPmtInfId>{told}</OrgnlPmtInfAndSts></CstmrPmtStsRpt>",
        )
    )

    assert [word.status for word in read(content.encode()).words] == [
        BankStatus.REJECTED,
        BankStatus.ACCEPTED,
        BankStatus.SUBMITTED,
    ]


def test_what_people_carry_is_with_them_until_the_bank_has_spoken() -> None:
    bank = channel(HeldInbox(), transport=Transport.FILES)

    assert bank.submit(instruction(), deadline_s=1) == Accepted("")
    assert bank.query(instruction(), deadline_s=1) == Accepted("")


def bill(content: bytes):
    return channel().read_statement(StatementKind.FUNDS, content)


def test_a_bill_of_funds_shows_payouts_returns_and_what_is_neither() -> None:
    back = entry("1.00", direction="CRDT", more="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")
    other = entry("2.00").replace(NUMBER, "NOTPROVIDED")
    in_by_payer = entry("3.00", direction="CRDT")

    read_ = bill(camt053(entry(), back, other, in_by_payer, closing="89.66"))

    assert str(read_.closing_balance) == "CNY 89.66"
    assert [(line.kind, str(line.amount)) for line in read_.lines] == [
        (LineKind.PAYOUT, "CNY 12.34"),
        (LineKind.RETURN, "CNY 1.00"),
        (LineKind.STRANGE, "CNY 2.00"),
        (LineKind.OTHER, "CNY 3.00"),
    ]
    assert (read_.account, read_.day) == (ACCOUNT, MONDAY)


@pytest.mark.parametrize(
    ("content", "reason", "line_no"),
    [
        (camt053(entry("12.345")), "amount_unreadable", 4),
        (camt053(entry(), closing="1.00"), "totals_differ", 3),
        (pain002(), "not_one_statement", 1),
        (b"x", "not_well_formed", 1),
    ],
)
def test_a_bill_that_is_not_sound_is_refused_with_its_line(content, reason, line_no) -> None:
    with pytest.raises(StatementRefused) as refusal:
        bill(content)

    assert (refusal.value.reason, refusal.value.line_no) == (reason, line_no)


def test_booked_and_rejected_together_wait_for_a_person_and_a_return_overrules_both() -> None:
    inbox = HeldInbox()
    bank = channel(inbox)
    inbox.take(bank, camt053(entry()))
    assert isinstance(bank.query(instruction(), deadline_s=1), Succeeded)

    inbox.take(bank, pain002())
    assert bank.query(instruction(), deadline_s=1) == Unknown("booked_and_rejected")

    back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    inbox.take(bank, camt053(entry(direction="CRDT", more=back), closing="112.34"))
    assert isinstance(bank.query(instruction(), deadline_s=1), Returned)
