"""Rules of deposits: pure, no clock, no database."""

from kuaitui.deposits.rules.alipay_accounts import parse_alipay_account, tail_of
from kuaitui.deposits.rules.amounts import require_payable
from kuaitui.deposits.rules.deductions import require_deductible
from kuaitui.deposits.rules.pay_ins import (
    LATE_WINDOW,
    NOTHING_SAID,
    PAY_IN_MAX_MINOR,
    PayInFacts,
    PayInStep,
    answer_of,
    decide,
    missing_amount,
    next_call,
    refundable_until,
)
from kuaitui.deposits.rules.refunds import (
    ACCOUNT_DIGITS_MAX,
    ACCOUNT_DIGITS_MIN,
    CARD_DIGITS,
    DESTINATION_COOL_DOWN,
    UNIONPAY_PREFIX,
    DeductionSplit,
    give_newest_first,
    parse_account_number,
    parse_bank_code,
    passes_luhn,
    plan_designated,
    plan_route,
    split_deduction,
    take_oldest_first,
)

__all__ = [
    "ACCOUNT_DIGITS_MAX",
    "ACCOUNT_DIGITS_MIN",
    "CARD_DIGITS",
    "DESTINATION_COOL_DOWN",
    "LATE_WINDOW",
    "NOTHING_SAID",
    "PAY_IN_MAX_MINOR",
    "UNIONPAY_PREFIX",
    "DeductionSplit",
    "PayInFacts",
    "PayInStep",
    "answer_of",
    "decide",
    "give_newest_first",
    "missing_amount",
    "next_call",
    "parse_account_number",
    "parse_alipay_account",
    "parse_bank_code",
    "passes_luhn",
    "plan_designated",
    "plan_route",
    "refundable_until",
    "require_deductible",
    "require_payable",
    "split_deduction",
    "tail_of",
    "take_oldest_first",
]
