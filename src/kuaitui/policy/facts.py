"""Facts of one shop: from a document to types and back. See `docs/reference/eligibility.md`."""

from __future__ import annotations

import codecs
import datetime as dt
import json
from typing import Final

from kuaitui.policy.errors import FactsInvalid
from kuaitui.policy.problems import Problem
from kuaitui.policy.reader import Reader, shorten
from kuaitui.policy.types import (
    AfterSale,
    CaseStatus,
    Debt,
    DebtKind,
    DebtStatus,
    Deposit,
    DepositKind,
    Dispute,
    Facts,
    Lot,
    Order,
    OrderStatus,
    Restriction,
    RestrictionKind,
    Shop,
    ShopKind,
    Standing,
    Violation,
    ViolationStatus,
)

FACTS_BYTES_MAX: Final = 32 * 1024 * 1024
ITEMS_MAX: Final = 200_000
CATEGORIES_MAX: Final = 200
_LISTS: Final = ("orders", "after_sales", "disputes", "violations", "restrictions", "debts")


def parse_facts_bytes(raw: bytes) -> Facts:
    """Read the facts of one shop from a JSON file's content.

    Raises:
        FactsInvalid: too large, not UTF-8, not JSON, or wrong fields; `problems` lists all of it.
    """
    if len(raw) > FACTS_BYTES_MAX:
        raise FactsInvalid((_unreadable(
            f"larger than {FACTS_BYTES_MAX // 1024**2} MB", f"超过 {FACTS_BYTES_MAX // 1024**2} MB"
        ),))  # fmt: skip
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        place = raw[: error.start].count(b"\n") + 1
        raise FactsInvalid((_unreadable(
            f"not UTF-8 text (line {place})", f"不是 UTF-8 文本（第 {place} 行）"
        ),)) from error  # fmt: skip
    return parse_facts(_parse_json(text))


def parse_facts(document: object) -> Facts:
    """Turn a decoded JSON document into facts, exactly of the shape of FACTS.md.

    Raises:
        FactsInvalid: `problems` lists everything that is wrong, field by field.
    """
    reader = Reader()
    facts = _FactsReader(reader).facts(document)
    if not reader.is_clean:
        raise FactsInvalid(reader.problems)
    return facts


def facts_to_json(facts: Facts) -> dict[str, object]:
    """The document `parse_facts` reads back to the same facts."""
    return {
        "as_of": facts.as_of.isoformat(),
        "shop": _shop(facts.shop),
        "deposit": _deposit(facts.deposit),
        "orders": [
            {
                "id": order.id,
                "status": order.status.value,
                "status_at": order.status_at.isoformat(),
                "amount_minor": order.amount_minor,
            }
            for order in facts.orders
        ],
        "after_sales": [{**_case(case), "order_id": case.order_id} for case in facts.after_sales],
        "disputes": [_case(case) for case in facts.disputes],
        "violations": [
            {
                "id": violation.id,
                "status": violation.status.value,
                "occurred_at": violation.occurred_at.isoformat(),
                "settled_at": _written(violation.settled_at),
            }
            for violation in facts.violations
        ],
        "restrictions": [
            {
                "id": restriction.id,
                "kind": restriction.kind.value,
                "from": restriction.from_at.isoformat(),
                "to": _written(restriction.to_at),
            }
            for restriction in facts.restrictions
        ],
        "debts": [
            {
                "id": debt.id,
                "kind": debt.kind.value,
                "amount_minor": debt.amount_minor,
                "status": debt.status.value,
            }
            for debt in facts.debts
        ],
        "listings_on_sale": facts.listings_on_sale,
        "withdrawable_balance_minor": facts.withdrawable_balance_minor,
    }


def _shop(shop: Shop) -> dict[str, object]:
    return {
        "id": shop.id,
        "kind": shop.kind.value,
        "categories": list(shop.categories),
        "standing": shop.standing.value,
        "opened_at": shop.opened_at.isoformat(),
        "closing_notice_at": _written(shop.closing_notice_at),
        "closed_at": _written(shop.closed_at),
        "expelled_at": _written(shop.expelled_at),
    }


def _deposit(deposit: Deposit) -> dict[str, object]:
    return {
        "kind": deposit.kind.value,
        "currency": deposit.currency,
        "required_minor": deposit.required_minor,
        "frozen_minor": deposit.frozen_minor,
        "lots": [
            {
                "id": lot.id,
                "amount_minor": lot.amount_minor,
                "paid_at": lot.paid_at.isoformat(),
                "channel": lot.channel,
                "refundable_until": _written(lot.refundable_until),
            }
            for lot in deposit.lots
        ],
    }


class _FactsReader:
    """The document's shape, field by field."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._as_of: dt.datetime | None = None

    def facts(self, document: object) -> Facts:
        r = self._reader
        fields = r.fields(
            document, "" if isinstance(document, dict) else "$",
            required=("as_of", "shop", "deposit", "listings_on_sale", "withdrawable_balance_minor"),
            optional=_LISTS,
        )  # fmt: skip
        as_of = r.instant(fields, "as_of", "")
        self._as_of = as_of
        shop = self._shop(fields.get("shop", {}), "shop" if "shop" in fields else None)
        deposit = self._deposit(
            fields.get("deposit", {}), "deposit" if "deposit" in fields else None
        )
        facts = Facts(
            as_of=as_of,
            shop=shop,
            deposit=deposit,
            orders=r.items(fields, "orders", "", self._order, length_max=ITEMS_MAX),
            after_sales=r.items(fields, "after_sales", "", self._after_sale, length_max=ITEMS_MAX),
            disputes=r.items(fields, "disputes", "", self._dispute, length_max=ITEMS_MAX),
            violations=r.items(fields, "violations", "", self._violation, length_max=ITEMS_MAX),
            restrictions=r.items(
                fields, "restrictions", "", self._restriction, length_max=ITEMS_MAX
            ),
            debts=r.items(fields, "debts", "", self._debt, length_max=ITEMS_MAX),
            listings_on_sale=r.count(fields, "listings_on_sale", ""),
            withdrawable_balance_minor=r.count(fields, "withdrawable_balance_minor", ""),
        )
        for name in _LISTS:
            r.unique([item.id for item in getattr(facts, name)], name)
        r.unique([lot.id for lot in deposit.lots], "deposit.lots")
        r.at_most(sum(lot.amount_minor for lot in deposit.lots), "deposit.lots")
        r.at_most(sum(debt.amount_minor for debt in facts.debts), "debts")
        return facts

    def _shop(self, value: object, path: str | None) -> Shop:
        r, place = (self._reader, path) if path else (Reader(), "shop")
        fields = r.fields(
            value, place,
            required=("id", "kind", "standing", "opened_at"),
            optional=("categories", "closing_notice_at", "closed_at", "expelled_at"),
        )  # fmt: skip
        shop = Shop(
            id=r.text(fields, "id", place),
            kind=r.choice(fields, "kind", place, ShopKind),
            categories=r.items(
                fields, "categories", place, r.plain_text, length_max=CATEGORIES_MAX
            ),
            standing=r.choice(fields, "standing", place, Standing),
            opened_at=r.instant(fields, "opened_at", place),
            closing_notice_at=r.instant_or_none(fields, "closing_notice_at", place),
            closed_at=r.instant_or_none(fields, "closed_at", place),
            expelled_at=r.instant_or_none(fields, "expelled_at", place),
        )
        for name in ("closing_notice_at", "closed_at", "expelled_at"):
            r.not_before(
                getattr(shop, name), shop.opened_at, f"{place}.{name}", f"{place}.opened_at"
            )
        return shop

    def _deposit(self, value: object, path: str | None) -> Deposit:
        r, place = (self._reader, path) if path else (Reader(), "deposit")
        fields = r.fields(
            value, place,
            required=("kind", "currency", "required_minor", "frozen_minor"),
            optional=("lots",),
        )  # fmt: skip
        return Deposit(
            kind=r.choice(fields, "kind", place, DepositKind),
            currency=r.currency(fields, "currency", place),
            required_minor=r.count(fields, "required_minor", place),
            frozen_minor=r.count(fields, "frozen_minor", place),
            lots=r.items(fields, "lots", place, self._lot, length_max=ITEMS_MAX),
        )

    def _lot(self, value: object, path: str) -> Lot:
        r = self._reader
        fields = r.fields(
            value, path,
            required=("id", "amount_minor", "paid_at", "channel"), optional=("refundable_until",),
        )  # fmt: skip
        lot = Lot(
            id=r.text(fields, "id", path),
            amount_minor=r.count(fields, "amount_minor", path),
            paid_at=r.instant(fields, "paid_at", path),
            channel=r.text(fields, "channel", path),
            refundable_until=r.instant_or_none(fields, "refundable_until", path),
        )
        r.not_before(lot.refundable_until, lot.paid_at, f"{path}.refundable_until", "paid_at")
        return lot

    def _order(self, value: object, path: str) -> Order:
        r = self._reader
        fields = r.fields(value, path, required=("id", "status", "status_at", "amount_minor"))
        return Order(
            id=r.text(fields, "id", path),
            status=r.choice(fields, "status", path, OrderStatus),
            status_at=r.instant(fields, "status_at", path),
            amount_minor=r.count(fields, "amount_minor", path),
        )

    def _after_sale(self, value: object, path: str) -> AfterSale:
        r = self._reader
        fields = r.fields(
            value, path, required=("id", "order_id", "status", "opened_at"), optional=("closed_at",)
        )
        case = AfterSale(
            id=r.text(fields, "id", path),
            order_id=r.text(fields, "order_id", path),
            status=r.choice(fields, "status", path, CaseStatus),
            opened_at=r.instant(fields, "opened_at", path),
            closed_at=r.instant_or_none(fields, "closed_at", path),
        )
        self._check_end(fields, case.opened_at, case.closed_at, path, ("opened_at", "closed_at"))
        return case

    def _dispute(self, value: object, path: str) -> Dispute:
        r = self._reader
        fields = r.fields(
            value, path, required=("id", "status", "opened_at"), optional=("closed_at",)
        )
        case = Dispute(
            id=r.text(fields, "id", path),
            status=r.choice(fields, "status", path, CaseStatus),
            opened_at=r.instant(fields, "opened_at", path),
            closed_at=r.instant_or_none(fields, "closed_at", path),
        )
        self._check_end(fields, case.opened_at, case.closed_at, path, ("opened_at", "closed_at"))
        return case

    def _violation(self, value: object, path: str) -> Violation:
        r = self._reader
        fields = r.fields(
            value, path, required=("id", "status", "occurred_at"), optional=("settled_at",)
        )
        violation = Violation(
            id=r.text(fields, "id", path),
            status=r.choice(fields, "status", path, ViolationStatus),
            occurred_at=r.instant(fields, "occurred_at", path),
            settled_at=r.instant_or_none(fields, "settled_at", path),
        )
        self._check_end(
            fields, violation.occurred_at, violation.settled_at, path, ("occurred_at", "settled_at")
        )
        return violation

    def _restriction(self, value: object, path: str) -> Restriction:
        r = self._reader
        fields = r.fields(value, path, required=("id", "kind", "from"), optional=("to",))
        restriction = Restriction(
            id=r.text(fields, "id", path),
            kind=r.choice(fields, "kind", path, RestrictionKind),
            from_at=r.instant(fields, "from", path),
            to_at=r.instant_or_none(fields, "to", path),
        )
        r.not_before(restriction.to_at, restriction.from_at, f"{path}.to", f"{path}.from")
        return restriction

    def _debt(self, value: object, path: str) -> Debt:
        r = self._reader
        fields = r.fields(value, path, required=("id", "kind", "amount_minor", "status"))
        return Debt(
            id=r.text(fields, "id", path),
            kind=r.choice(fields, "kind", path, DebtKind),
            amount_minor=r.count(fields, "amount_minor", path),
            status=r.choice(fields, "status", path, DebtStatus),
        )

    def _check_end(
        self,
        fields: object,
        begun_at: dt.datetime,
        ended_at: dt.datetime | None,
        path: str,
        names: tuple[str, str],
    ) -> None:
        """A case that has ended says when; one that is open does not say it ended in the past."""
        begin, end = names
        self._reader.not_before(ended_at, begun_at, f"{path}.{end}", f"{path}.{begin}")
        status = fields.get("status") if isinstance(fields, dict) else None
        has_ended = status in {"closed", "settled"}
        if has_ended and isinstance(fields, dict) and fields.get(end) is None:
            self._reader.report(f"{path}.{end}", "end_missing", status=status)
        if (
            status in {"open", "appealing"}
            and ended_at is not None
            and self._as_of is not None
            and ended_at <= self._as_of
        ):
            self._reader.report(f"{path}.{end}", "end_not_reached", status=status)


def _parse_json(text: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_object_without_duplicates, parse_constant=_refuse_constant
        )
    except _Unreadable as problem:
        raise FactsInvalid((problem.problem,)) from problem
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        place_zh = f"第 {error.lineno} 行第 {error.colno} 列"
        problem_ = _unreadable(f"not JSON ({place}: {error.msg})", f"不是 JSON（{place_zh}）")
        raise FactsInvalid((problem_,)) from error
    except (RecursionError, ValueError) as error:  # too deep, or a number of thousands of digits
        problem_ = _unreadable("nested too deep or a number too long", "嵌套过深或数字过长")
        raise FactsInvalid((problem_,)) from error


class _Unreadable(Exception):  # noqa: N818 - carries a problem out of the JSON decoder
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        if name in fields:
            found = shorten(name)
            raise _Unreadable(Problem(found, "duplicate", {"found": found, "other": found}))
        fields[name] = value
    return fields


def _refuse_constant(name: str) -> object:
    raise _Unreadable(_unreadable(f"{name} is not a number", f"{name} 不是数字"))


def _unreadable(reason: str, reason_zh: str) -> Problem:
    return Problem("$", "unreadable", {"reason": reason, "reason_zh": reason_zh})


def _written(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _case(case: AfterSale | Dispute) -> dict[str, object]:
    return {
        "id": case.id,
        "status": case.status.value,
        "opened_at": case.opened_at.isoformat(),
        "closed_at": _written(case.closed_at),
    }
