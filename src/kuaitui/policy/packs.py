"""Policy packs: versioned TOML files with a source for every value. See `docs/reference/eligibility.md`.

`data/packs/NAME/VERSION.toml` ships with kuaitui; a marketplace's own file is read the same way.
A shipped version never changes once it was in force: a correction is a new version.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import re
import tomllib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from kuaitui.kernel.money import Money
from kuaitui.policy.calendar import DAYS_MAX
from kuaitui.policy.errors import PackInvalid, PackUnknown
from kuaitui.policy.own_conditions import expression_problem
from kuaitui.policy.problems import Problem
from kuaitui.policy.reader import Fields, Reader, shorten
from kuaitui.policy.terms import (
    OPERATOR,
    AmountLimit,
    ClosingNotice,
    ConditionTerms,
    DayUnit,
    Hold,
    HoldAnchor,
    OwnCondition,
    Period,
    Provenance,
    Review,
    RouteWindow,
    Terms,
)
from kuaitui.policy.types import (
    BANNED,
    CLOSING_NOTICE_RUNNING,
    CODES,
    DISPUTE_OPEN,
    HOLD_RUNNING,
    ORDER_OPEN,
    RESTRICTED,
    Clause,
    Confidence,
    RefundKind,
    RestrictionKind,
    Standing,
    Text,
)

_Choice = TypeVar("_Choice", bound=enum.StrEnum)
PACK_BYTES_MAX: Final = 512 * 1024
TEXT_LENGTH_MAX: Final = 2000
LIST_LENGTH_MAX: Final = 100
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,31}")
_OWN_CODE: Final = re.compile(r"x\.[a-z][a-z0-9_]{0,59}")
_SOURCED: Final = ("confidence", "source", "seen_on", "verified")
_ANCHOR_NEEDS: Final = {
    HoldAnchor.LAST_COMPLETED_ORDER: ORDER_OPEN,
    HoldAnchor.LAST_DISPUTE_CLOSED: DISPUTE_OPEN,
}

# For packs that do not say: our own choice, which no platform publishes.
_OUR_CHOICE: Final = Provenance(Confidence.C, OPERATOR, dt.date(2026, 11, 25), is_verified=False)
_OUR_PERIODS: Final = {
    "repair_reminder_time": Period(14, DayUnit.NATURAL_DAYS, _OUR_CHOICE),
    "repair_time": Period(90, DayUnit.NATURAL_DAYS, _OUR_CHOICE),
    "deduction_reply_time": Period(7, DayUnit.NATURAL_DAYS, _OUR_CHOICE),
    "deduction_decision_time": Period(30, DayUnit.NATURAL_DAYS, _OUR_CHOICE),
}


def available_packs() -> dict[str, tuple[str, ...]]:
    """The shipped packs and their versions, oldest first."""
    return {
        pack.name: tuple(sorted(file.name.removesuffix(".toml") for file in pack.iterdir()))
        for pack in sorted(_shipped().iterdir(), key=lambda entry: entry.name)
    }


def load_pack(name_or_path: str) -> Terms:
    """The terms of a shipped pack (`NAME` or `NAME@VERSION`) or of a file.

    Raises:
        PackUnknown: neither a shipped pack nor a file that can be opened.
        PackInvalid: `problems` lists everything that is wrong in the file, field by field.
    """
    shipped = _shipped_version(name_or_path)
    return _load_shipped(*shipped) if shipped else parse_pack(_read_file(name_or_path))


def pack_source(name_or_path: str) -> bytes:
    """The exact content of a pack's file, for keeping beside what was decided under it.

    Raises:
        PackUnknown: neither a shipped pack nor a file that can be opened.
    """
    shipped = _shipped_version(name_or_path)
    if shipped is None:
        return _read_file(name_or_path)
    name, version = shipped
    return _shipped().joinpath(name, f"{version}.toml").read_bytes()


def _shipped_version(name_or_path: str) -> tuple[str, str] | None:
    name, _, version = name_or_path.partition("@")
    versions = available_packs().get(name, ())
    if versions and (not version or version in versions):
        return name, version or versions[-1]
    return None


def _read_file(name_or_path: str) -> bytes:
    path = Path(name_or_path)
    is_shipped_name = name_or_path.partition("@")[0] in available_packs()
    if is_shipped_name or not (path.suffix == ".toml" or path.is_file()):
        raise PackUnknown(
            name=shorten(name_or_path, 200), available=", ".join(_pack_names(available_packs()))
        )
    try:
        with path.open("rb") as file:
            return file.read(PACK_BYTES_MAX + 1)
    except OSError as error:
        raise PackUnknown(name=shorten(name_or_path, 200), reason=error.strerror) from error


def parse_pack(raw: bytes) -> Terms:
    """Read and check a pack's content.

    Raises:
        PackInvalid: `problems` lists everything that is wrong, field by field.
    """
    if len(raw) > PACK_BYTES_MAX:
        limit = f"{PACK_BYTES_MAX // 1024} KB"
        raise PackInvalid((_unreadable(f"larger than {limit}", f"超过 {limit}"),))
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise PackInvalid((_unreadable("not UTF-8 text", "不是 UTF-8 文本"),)) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = f"not TOML: {shorten(error, 120)}"
        raise PackInvalid((_unreadable(reason, f"不是 TOML：{shorten(error, 120)}"),)) from error
    reader = Reader()
    terms = _PackReader(reader).terms(document, hashlib.sha256(raw).hexdigest())
    if terms is None or not reader.is_clean:
        raise PackInvalid(reader.problems)
    return terms


@cache
def _load_shipped(name: str, version: str) -> Terms:
    return parse_pack(_shipped().joinpath(name, f"{version}.toml").read_bytes())


def _shipped() -> Traversable:
    return resources.files("kuaitui.policy").joinpath("data", "packs")


def _pack_names(packs: dict[str, tuple[str, ...]]) -> list[str]:
    return [f"{name}@{versions[-1]}" for name, versions in packs.items()]


def _unreadable(reason: str, reason_zh: str) -> Problem:
    return Problem("$", "unreadable", {"reason": reason, "reason_zh": reason_zh})


class _PackReader:
    """The file's shape, table by table."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._restriction_kinds: frozenset[RestrictionKind] = frozenset()
        self._banned_standings: frozenset[Standing] = frozenset()
        self._closing_notice: ClosingNotice | None = None
        self._currency = "CNY"

    def terms(self, document: object, digest: str) -> Terms | None:
        r = self._reader
        fields = r.fields(
            document, "", required=("pack", "conditions", "review"),
            optional=("holds", "own_conditions", "original_routes"),
        )  # fmt: skip
        if "pack" not in fields or "review" not in fields:
            return None
        pack = r.fields(
            fields["pack"], "pack", required=("name", "version", "title", "zone", "currency")
        )
        self._currency = r.currency(pack, "currency", "pack")
        conditions = r.items(fields, "conditions", "", self._condition, length_max=LIST_LENGTH_MAX)
        holds = r.items(fields, "holds", "", self._hold, length_max=LIST_LENGTH_MAX)
        own = r.items(fields, "own_conditions", "", self._own, length_max=LIST_LENGTH_MAX)
        terms = Terms(
            pack=self._pattern(pack, "name", "pack", _NAME),
            version=self._pattern(pack, "version", "pack", _VERSION),
            digest=digest,
            title=self._text(pack, "title", "pack"),
            zone=self._zone(pack),
            currency=self._currency,
            conditions=tuple(sorted(conditions, key=lambda item: CODES.index(item.code))),
            restriction_kinds=self._restriction_kinds,
            banned_standings=self._banned_standings,
            holds=holds,
            closing_notice=self._closing_notice,
            own_conditions=own,
            review=self._review(fields["review"]),
            original_routes=r.items(
                fields, "original_routes", "", self._route, length_max=LIST_LENGTH_MAX
            ),
        )
        self._check_together(terms)
        return terms

    def _check_together(self, terms: Terms) -> None:
        r = self._reader
        for path, codes in (
            ("conditions", [item.code for item in terms.conditions]),
            ("own_conditions", [item.code for item in terms.own_conditions]),
        ):
            for code in {code for code in codes if codes.count(code) > 1}:
                r.report(path, "duplicate", found=code, other=path)
        hold_terms = terms.condition(HOLD_RUNNING)
        if hold_terms is not None and not terms.holds:
            r.report("holds", "missing")
        if hold_terms is None:
            if terms.holds:
                r.report("holds", "not_applicable")
            return
        for index, hold in enumerate(terms.holds):
            needed_code = _ANCHOR_NEEDS.get(hold.anchor, HOLD_RUNNING)
            needed = terms.condition(needed_code)
            if needed is None or not hold_terms.refund_kinds <= needed.refund_kinds:
                place = f"holds[{index}].anchor"
                r.report(place, "needs_condition", anchor=hold.anchor.value, code=needed_code)

    def _condition(self, value: object, path: str) -> ConditionTerms:
        r = self._reader
        fields = r.fields(
            value, path, required=("code", "kinds", "clause", *_SOURCED),
            optional=("restriction_kinds", "standings", "days", "notice_required"),
        )  # fmt: skip
        code = r.text(fields, "code", path)
        if code and code not in CODES:
            choices = ", ".join(CODES)
            r.report(f"{path}.code", "not_a_choice", found=shorten(code), choices=choices)
        self._parameters(fields, path, code)
        return ConditionTerms(
            code=code if code in CODES else CODES[0],
            refund_kinds=self._choices(fields, "kinds", path, RefundKind),
            clause=self._clause(fields, path),
            provenance=self._provenance(fields, path),
        )

    def _parameters(self, fields: Fields, path: str, code: str) -> None:
        allowed: dict[str, tuple[str, ...]] = {
            RESTRICTED: ("restriction_kinds",),
            BANNED: ("standings",),
            CLOSING_NOTICE_RUNNING: ("days", "notice_required"),
        }
        for name in ("restriction_kinds", "standings", "days", "notice_required"):
            wanted = name in allowed.get(code, ())
            if wanted and name not in fields:
                self._reader.report(f"{path}.{name}", "missing")
            if not wanted and name in fields:
                self._reader.report(f"{path}.{name}", "not_applicable")
        if code == RESTRICTED:
            self._restriction_kinds = self._choices(
                fields, "restriction_kinds", path, RestrictionKind
            )
        elif code == BANNED:
            self._banned_standings = self._choices(fields, "standings", path, Standing)
        elif code == CLOSING_NOTICE_RUNNING:
            self._closing_notice = ClosingNotice(
                period=self._period(fields, "days", path),
                is_required=self._reader.flag(fields, "notice_required", path),
            )

    def _hold(self, value: object, path: str) -> Hold:
        r = self._reader
        fields = r.fields(
            value, path, required=("anchor", "days", "clause"), optional=("only_if_expelled",)
        )
        return Hold(
            anchor=r.choice(fields, "anchor", path, HoldAnchor),
            period=self._period(fields, "days", path),
            only_if_expelled=r.flag(fields, "only_if_expelled", path),
            clause=self._clause(fields, path),
        )

    def _own(self, value: object, path: str) -> OwnCondition:
        r = self._reader
        fields = r.fields(
            value, path,
            required=("code", "kinds", "passes_when", "title", "passed", "failed", "act", "clause",
                      *_SOURCED),
        )  # fmt: skip
        expression = r.text(fields, "passes_when", path, length_max=TEXT_LENGTH_MAX)
        if expression and (reason := expression_problem(expression)):
            r.report(f"{path}.passes_when", "bad_expression", reason=shorten(reason, 300))
        return OwnCondition(
            code=self._pattern(fields, "code", path, _OWN_CODE),
            refund_kinds=self._choices(fields, "kinds", path, RefundKind),
            passes_when=expression,
            title=self._text(fields, "title", path),
            passed=self._text(fields, "passed", path),
            failed=self._text(fields, "failed", path),
            act=self._text(fields, "act", path),
            clause=self._clause(fields, path),
            provenance=self._provenance(fields, path),
        )

    def _route(self, value: object, path: str) -> RouteWindow:
        r = self._reader
        fields = r.fields(value, path, required=("channel", "days"))
        return RouteWindow(
            channel=r.text(fields, "channel", path), period=self._period(fields, "days", path)
        )

    def _review(self, value: object) -> Review:
        periods = ("review_time", "arrival_time", "appeal_window", "more_information_window")
        limits = ("auto_approval_limit_minor", "second_approval_from_minor")
        fields = self._reader.fields(
            value, "review", required=(*periods, *limits), optional=tuple(_OUR_PERIODS)
        )
        review_time, arrival_time, appeal, more = (
            self._period(fields, name, "review") for name in periods
        )
        reminder, repair, reply, decision = (
            self._period(fields, name, "review") if name in fields else kept
            for name, kept in _OUR_PERIODS.items()
        )
        if reminder.count > repair.count and reminder.unit is repair.unit:
            self._reader.report("review.repair_reminder_time", "too_large", limit=repair.count)
        automatic, second = (self._limit(fields, name, "review") for name in limits)
        return Review(
            review_time=review_time,
            arrival_time=arrival_time,
            appeal_window=appeal,
            more_information_window=more,
            repair_reminder_time=reminder,
            repair_time=repair,
            deduction_reply_time=reply,
            deduction_decision_time=decision,
            auto_approval_limit=automatic,
            second_approval_from=second,
        )

    def _period(self, fields: Fields, name: str, path: str) -> Period:
        place = f"{path}.{name}"
        table = self._reader.fields(
            fields.get(name, {}), place, required=("value", "unit", *_SOURCED)
        ) if name in fields else {}  # fmt: skip
        return Period(
            count=self._reader.count(table, "value", place, most=DAYS_MAX),
            unit=self._reader.choice(table, "unit", place, DayUnit),
            provenance=self._provenance(table, place),
        )

    def _limit(self, fields: Fields, name: str, path: str) -> AmountLimit:
        place = f"{path}.{name}"
        table = (
            self._reader.fields(fields[name], place, required=("value", *_SOURCED))
            if name in fields
            else {}
        )
        minor = self._reader.count(table, "value", place)
        return AmountLimit(Money(minor, self._currency), self._provenance(table, place))

    def _provenance(self, fields: Fields, path: str) -> Provenance:
        r = self._reader
        confidence = r.choice(fields, "confidence", path, Confidence)
        is_verified = r.flag(fields, "verified", path)
        if is_verified and confidence is not Confidence.A:
            r.report(f"{path}.verified", "unverified")
        seen_on = fields.get("seen_on", dt.date.min)
        if type(seen_on) is not dt.date:
            r.report(
                f"{path}.seen_on", "wrong_type",
                expected="a date like 2026-11-23", expected_zh="日期，例如 2026-11-23",
                found=shorten(seen_on), found_zh=shorten(seen_on),
            )  # fmt: skip
            seen_on = dt.date.min
        return Provenance(
            confidence=confidence,
            source=r.text(fields, "source", path, length_max=500),
            seen_on=seen_on,
            is_verified=is_verified,
        )

    def _clause(self, fields: Fields, path: str) -> Clause:
        place = f"{path}.clause"
        if "clause" not in fields:
            return Clause("", Text("", ""))
        table = self._reader.fields(fields["clause"], place, required=("reference", "zh", "en"))
        return Clause(
            reference=self._reader.text(table, "reference", place),
            text=Text(
                self._reader.text(table, "zh", place, length_max=TEXT_LENGTH_MAX),
                self._reader.text(table, "en", place, length_max=TEXT_LENGTH_MAX),
            ),
        )

    def _text(self, fields: Fields, name: str, path: str) -> Text:
        if name not in fields:
            return Text("", "")
        place = f"{path}.{name}"
        table = self._reader.fields(fields[name], place, required=("zh", "en"))
        return Text(
            self._reader.text(table, "zh", place, length_max=TEXT_LENGTH_MAX),
            self._reader.text(table, "en", place, length_max=TEXT_LENGTH_MAX),
        )

    def _choices(
        self, fields: Fields, name: str, path: str, choices: type[_Choice]
    ) -> frozenset[_Choice]:
        return frozenset(
            self._reader.items(
                fields, name, path,
                lambda value, place: self._reader.plain_choice(value, place, choices),
                length_max=LIST_LENGTH_MAX,
            )
        )  # fmt: skip

    def _pattern(self, fields: Fields, name: str, path: str, pattern: re.Pattern[str]) -> str:
        value = self._reader.text(fields, name, path)
        if value and pattern.fullmatch(value) is None:
            self._reader.report(
                f"{path}.{name}", "not_a_choice", found=shorten(value), choices=pattern.pattern
            )
        return value

    def _zone(self, fields: Fields) -> ZoneInfo:
        name = self._reader.text(fields, "zone", "pack")
        try:
            return ZoneInfo(name or "Asia/Shanghai")
        except (KeyError, ValueError, OSError):
            self._reader.report("pack.zone", "unknown_zone", found=shorten(name))
            return ZoneInfo("UTC")
