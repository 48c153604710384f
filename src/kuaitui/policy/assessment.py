"""`assess`: whether a deposit may go back, how much, when at the earliest, and why not yet."""

from __future__ import annotations

import datetime as dt

from kuaitui.kernel.money import Money
from kuaitui.policy.calendar import is_provisional
from kuaitui.policy.conditions import Condition, conditions_of, refundable_minor
from kuaitui.policy.evidence import Scene, anchor_of, evidence_of
from kuaitui.policy.expressions import Expression, Moment
from kuaitui.policy.measures import Measures, measure, owed_minor
from kuaitui.policy.own_conditions import evaluate
from kuaitui.policy.terms import DayUnit, HoldAnchor, OwnCondition, Provenance, Terms
from kuaitui.policy.texts import (
    date_text,
    has_text,
    ids_text,
    joined,
    money_text,
    text_of,
    title_of,
)
from kuaitui.policy.types import (
    BALANCE_NOT_WITHDRAWN,
    CLOSING_NOTICE_RUNNING,
    DEBT_OPEN,
    DEPOSIT_FROZEN,
    HOLD_RUNNING,
    LISTINGS_ON_SALE,
    NOTHING_REFUNDABLE,
    Assessment,
    Evidence,
    Facts,
    Finding,
    RefundKind,
    Text,
)


def assess(
    terms: Terms, facts: Facts, *, kind: RefundKind, as_of: dt.datetime | None = None
) -> Assessment:
    """Look at every condition that applies and say what it means for the deposit.

    Args:
        terms: the policy in force.
        facts: what is reported about the shop, and the deposit asked back.
        kind: everything on leaving, or the excess over what is required.
        as_of: the moment to assess for; the moment of the facts if none is given.
    """
    as_of = facts.as_of if as_of is None else as_of
    return _Assessor(terms, facts, RefundKind(kind), as_of).assessment()


class _Assessor:
    """One assessment: the row of measures at one moment, and the findings in it."""

    def __init__(self, terms: Terms, facts: Facts, kind: RefundKind, as_of: dt.datetime) -> None:
        self._terms = terms
        self._facts = facts
        self._kind = kind
        self._scene = Scene(terms, facts, as_of)
        self._moment = Moment(as_of, terms.zone)
        self._row = measure(facts, as_of)
        self._refundable_minor = self._number(refundable_minor(kind))

    def assessment(self) -> Assessment:
        conditions = conditions_of(self._terms, self._kind)
        own = [item for item in self._terms.own_conditions if self._kind in item.refund_kinds]
        findings = tuple(self._finding(condition) for condition in conditions)
        findings += tuple(self._own_finding(item) for item in own)
        return Assessment(
            shop_id=self._facts.shop.id,
            as_of=self._moment.as_of,
            pack=self._terms.pack,
            version=self._terms.version,
            title=self._terms.title,
            kind=self._kind,
            currency=self._facts.deposit.currency,
            held_minor=_whole(self._row, "held_minor"),
            frozen_minor=self._facts.deposit.frozen_minor,
            owed_minor=owed_minor(self._facts),
            refundable_minor=self._refundable_minor,
            earliest_on=self._earliest_on(conditions, findings),
            findings=findings,
        )

    def _earliest_on(
        self, conditions: tuple[Condition, ...], findings: tuple[Finding, ...]
    ) -> dt.date | None:
        """The last clearing date, unless something waits for a person.

        A hold that passes now may begin again with a completion that is known to come; packs are
        refused unless the order or dispute it counts from blocks as long.
        """
        failed = [finding for finding in findings if not finding.passed]
        if not failed:
            return self._moment.today
        dates = [finding.clears_on for finding in failed]
        dates += [
            on
            for condition in conditions
            if condition.begins_again_until is not None
            and (on := self._date(condition.begins_again_until)) is not None
        ]
        known = [on for on in dates if on is not None]
        return max(known) if len(known) == len(dates) else None

    def _finding(self, condition: Condition) -> Finding:
        code = condition.code
        passed = condition.passes.evaluate(self._row, self._moment) is True
        clears_on = None if passed else self._date(condition.clears_on)
        evidence = () if passed else evidence_of(code, self._scene)
        provenance = self._least_certain(condition)
        message = joined(
            self._message(code, passed=passed, clears_on=clears_on, evidence=evidence),
            self._caveats(code, provenance, clears_on),
        )
        return Finding(
            code=code,
            passed=passed,
            clears_on=clears_on,
            evidence=evidence,
            title=title_of(code),
            message=message,
            act=_act(code, passed=passed, clears_on=clears_on),
            clause=condition.terms.clause,
            confidence=provenance.confidence,
        )

    def _message(
        self,
        code: str,
        *,
        passed: bool,
        clears_on: dt.date | None,
        evidence: tuple[Evidence, ...],
    ) -> Text:
        name = "passed" if passed else "failed"
        if not passed and clears_on is None and has_text(code, "failed_without_date"):
            name = "failed_without_date"
        return text_of(
            code,
            name,
            count=self._count(code, evidence),
            ids=ids_text([item.id for item in evidence]),
            amount=money_text(Money(self._amount_minor(code), self._facts.deposit.currency)),
            date=date_text(clears_on or self._moment.today),
            detail=self._detail(code),
        )

    def _count(self, code: str, evidence: tuple[Evidence, ...]) -> int:
        return self._facts.listings_on_sale if code == LISTINGS_ON_SALE else len(evidence)

    def _amount_minor(self, code: str) -> int:
        return {
            DEBT_OPEN: owed_minor(self._facts),
            BALANCE_NOT_WITHDRAWN: self._facts.withdrawable_balance_minor,
            NOTHING_REFUNDABLE: self._refundable_minor,
            DEPOSIT_FROZEN: self._facts.deposit.frozen_minor,
        }.get(code, 0)

    def _detail(self, code: str) -> Text:
        """Which clause of a hold applies: those whose event has happened to this shop."""
        if code == HOLD_RUNNING:
            clauses = [
                hold.clause.text
                for hold in self._terms.holds
                if anchor_of(hold.anchor, self._scene) or hold.anchor is HoldAnchor.SHOP_CLOSED
            ]
            return joined(*dict.fromkeys(clauses)) if clauses else Text("", "")
        condition = self._terms.condition(code)
        return condition.clause.text if condition else Text("", "")

    def _least_certain(self, condition: Condition) -> Provenance:
        """A finding is only as certain as the least certain value behind it."""
        values = [condition.terms.provenance]
        if condition.code == HOLD_RUNNING:
            values += [hold.period.provenance for hold in self._terms.holds]
        if condition.code == CLOSING_NOTICE_RUNNING and self._terms.closing_notice:
            values.append(self._terms.closing_notice.period.provenance)
        return max(values, key=lambda value: value.confidence)

    def _caveats(self, code: str, provenance: Provenance, clears_on: dt.date | None) -> Text:
        caveat = Text("", "")
        if clears_on is not None and self._is_provisional(code, clears_on):
            caveat = joined(caveat, text_of("common", "provisional"))
        if not provenance.is_verified:
            confidence = provenance.confidence.value
            caveat = joined(caveat, text_of("common", "unverified", confidence=confidence))
        return caveat

    def _is_provisional(self, code: str, clears_on: dt.date) -> bool:
        periods = [hold.period for hold in self._terms.holds] if code == HOLD_RUNNING else []
        if code == CLOSING_NOTICE_RUNNING and self._terms.closing_notice:
            periods = [self._terms.closing_notice.period]
        counts_working_days = any(period.unit is DayUnit.WORKING_DAYS for period in periods)
        return counts_working_days and is_provisional(clears_on)

    def _own_finding(self, item: OwnCondition) -> Finding:
        passed, reason = evaluate(item.passes_when, self._variables())
        message = item.passed if passed else item.failed
        if reason:
            message = joined(message, text_of("common", "not_evaluated", reason=reason))
        if not item.provenance.is_verified:
            confidence = item.provenance.confidence.value
            message = joined(message, text_of("common", "unverified", confidence=confidence))
        return Finding(
            code=item.code,
            passed=passed,
            clears_on=None,
            evidence=() if passed else (Evidence("shop", self._facts.shop.id),),
            title=item.title,
            message=message,
            act=text_of("common", "done") if passed else item.act,
            clause=item.clause,
            confidence=item.provenance.confidence,
        )

    def _variables(self) -> dict[str, object]:
        shop, deposit = self._facts.shop, self._facts.deposit
        return {
            **self._row,
            "as_of": self._moment.as_of,
            "kind": self._kind.value,
            "shop_kind": shop.kind.value,
            "categories": list(shop.categories),
            "opened_at": shop.opened_at,
            "deposit_kind": deposit.kind.value,
            "currency": deposit.currency,
            "refundable_minor": self._refundable_minor,
        }

    def _number(self, expression: Expression) -> int:
        value = expression.evaluate(self._row, self._moment)
        assert isinstance(value, int)
        return value

    def _date(self, expression: Expression) -> dt.date | None:
        value = expression.evaluate(self._row, self._moment)
        assert value is None or isinstance(value, dt.date)
        return value


def _whole(row: Measures, name: str) -> int:
    value = row[name]
    assert isinstance(value, int)
    return value


def _act(code: str, *, passed: bool, clears_on: dt.date | None) -> Text:
    if passed:
        return text_of("common", "done")
    if clears_on is not None:
        return text_of("common", "waits", date=date_text(clears_on))
    return text_of(code, "act")
