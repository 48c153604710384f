"""`kuaitui eligibility`: assess facts from a file. No database, no Django, no network."""

from __future__ import annotations

import argparse
import datetime as dt
import io
import json
import os
import sys
import textwrap
import unicodedata
from pathlib import Path
from typing import Final

from kuaitui.kernel.money import Money
from kuaitui.policy.assessment import assess
from kuaitui.policy.errors import FactsInvalid, PackInvalid, PackUnknown
from kuaitui.policy.facts import FACTS_BYTES_MAX, parse_facts_bytes
from kuaitui.policy.packs import available_packs, load_pack
from kuaitui.policy.problems import Problem
from kuaitui.policy.reader import read_instant, shorten
from kuaitui.policy.terms import Terms
from kuaitui.policy.texts import date_text, money_text
from kuaitui.policy.types import Assessment, Facts, Finding, RefundKind, Text

WIDTH: Final = 88
EVIDENCE_SHOWN_MAX: Final = 50
_WORDS: Final = {
    RefundKind.FULL_EXIT: Text("退还全部保证金", "return of the whole deposit"),
    RefundKind.EXCESS: Text("退还超额部分", "return of the excess"),
}


class _Unusable(Exception):  # noqa: N818 - ends the command with exit code 2
    """An input cannot be used; the message and the list of problems say why."""

    def __init__(self, what: Text, problems: tuple[Problem, ...] = ()) -> None:
        self.what = what
        self.problems = problems
        super().__init__(what.en)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    packs = ", ".join(available_packs())
    parser.add_argument("facts", metavar="FACTS.json", help="facts of one shop; - reads stdin")
    parser.add_argument(
        "--policy", required=True, metavar="PACK|FILE",
        help=f"a shipped pack ({packs}; NAME@VERSION for an older one) or a pack file (.toml)",
    )  # fmt: skip
    parser.add_argument(
        "--as-of", metavar="T",
        help="assess for this moment instead of the facts' own: ISO 8601 with offset, or a date "
        "(then for the end of that day in the marketplace's zone)",
    )  # fmt: skip
    parser.add_argument(
        "--kind", choices=[kind.value for kind in RefundKind], default=RefundKind.FULL_EXIT.value,
        help="the whole deposit on leaving, or what lies above the required amount",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the assessment as JSON")
    parser.add_argument(
        "--language", choices=["zh", "en"], default=_language_of_environment(),
        help="for people; JSON always has both (default: from LANG)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Assess and print; 0 when the assessment was made, 2 when the input is wrong."""
    _write_utf8()
    try:
        terms = _terms(arguments.policy)
        facts = _facts(arguments.facts)
        as_of = _as_of(arguments.as_of, facts, terms)
    except _Unusable as unusable:
        _print_problems(unusable, arguments.language)
        return 2
    assessment = assess(terms, facts, kind=RefundKind(arguments.kind), as_of=as_of)
    if arguments.json:
        _print(json.dumps(assessment.to_json(), ensure_ascii=False, indent=2))
    else:
        _print(_Page(assessment, facts, terms, arguments.language).render())
    return 0


def _terms(name: str) -> Terms:
    try:
        return load_pack(name)
    except PackUnknown as unknown:
        packs = ", ".join(available_packs())
        reason = unknown.details.get("reason")
        raise _Unusable(Text(
            f"没有名为“{shorten(name)}”的规则包，也无法打开这样的文件"
            f"{f'（{reason}）' if reason else ''}。可用的规则包：{packs}",
            f"there is no policy pack “{shorten(name)}”, and no such file can be opened"
            f"{f' ({reason})' if reason else ''}. Packs: {packs}",
        )) from unknown  # fmt: skip
    except PackInvalid as invalid:
        raise _Unusable(
            Text(
                f"规则包 {shorten(name)} 无法使用", f"the policy pack {shorten(name)} is not usable"
            ),
            invalid.problems,
        ) from invalid


def _facts(name: str) -> Facts:
    try:
        if name == "-":
            raw = sys.stdin.buffer.read(FACTS_BYTES_MAX + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(FACTS_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _Unusable(Text(
            f"无法打开文件 {shorten(name, 200)}：{reason}",
            f"cannot open {shorten(name, 200)}: {reason}",
        )) from error  # fmt: skip
    try:
        return parse_facts_bytes(raw)
    except FactsInvalid as invalid:
        raise _Unusable(
            Text(f"{shorten(name, 200)} 无法评估", f"{shorten(name, 200)} cannot be assessed"),
            invalid.problems,
        ) from invalid


def _as_of(text: str | None, facts: Facts, terms: Terms) -> dt.datetime:
    if text is None:
        return facts.as_of
    try:
        on = dt.date.fromisoformat(text) if len(text) == len("2026-11-23") else None
    except ValueError:
        on = None
    if on is not None:
        text = dt.datetime.combine(on, dt.time.max, terms.zone).isoformat()
    kind, moment = read_instant(text)
    if moment is None:
        what = Text("--as-of 的时间无法使用", "the time of --as-of is not usable")
        details = {"first": 1990, "last": 2199}
        raise _Unusable(what, (Problem("--as-of", kind, details),))
    return moment


def _print_problems(unusable: _Unusable, language: str) -> None:
    what = unusable.what.in_language(language)
    count = len(unusable.problems)
    if count:
        what += Text(
            f"，有 {count} 处问题：", f"; {count} problem{'s' * (count > 1)}:"
        ).in_language(language)
    print(f"kuaitui: {what}", file=sys.stderr)
    for problem in unusable.problems:
        print(f"  {problem.in_language(language)}", file=sys.stderr)


def _print(text: str) -> None:
    """Print, and stay calm when the reader has gone, as `| head` does."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _language_of_environment() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def _write_utf8() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


class _Page:
    """The assessment on a terminal: the answer, the money, then what is open and what is done."""

    def __init__(self, assessment: Assessment, facts: Facts, terms: Terms, language: str) -> None:
        self._assessment = assessment
        self._required_minor = facts.deposit.required_minor
        self._terms = terms
        self._language = language
        self._is_coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def render(self) -> str:
        lines = [*self._head(), "", *self._answer(), "", *self._money()]
        blockers = self._assessment.blockers
        if blockers:
            lines += ["", self._say(f"还差 {len(blockers)} 项", f"Still open ({len(blockers)})")]
            for finding in blockers:
                lines += self._open(finding)
        passed = [finding for finding in self._assessment.findings if finding.passed]
        if passed:
            lines += ["", self._say(f"已满足 {len(passed)} 项", f"Done ({len(passed)})")]
            lines += [f"  {self._mark('✓', 32)} {self._in(item.message)}" for item in passed]
        return "\n".join(lines)

    def _head(self) -> list[str]:
        as_of = self._assessment.as_of.astimezone(self._terms.zone)
        return [
            self._bold(f"{self._assessment.shop_id} · {self._in(_WORDS[self._assessment.kind])}"),
            self._say(
                f"规则 {self._terms.title.zh} {self._terms.version} · 截至 {as_of:%Y-%m-%d %H:%M %z}",
                f"{self._terms.title.en} {self._terms.version} · as of {as_of:%Y-%m-%d %H:%M %z}",
            ),
        ]

    def _answer(self) -> list[str]:
        on = self._assessment.earliest_on
        if self._assessment.is_eligible:
            answer = self._say("可以申请退还", "The deposit can be returned now")
            return [f"{self._mark('✓', 32)} {self._bold(answer)}"]
        answer = self._say("暂时还不能退还", "Not yet")
        when = (
            self._say("有事项需要先处理，办完才有日期", "something has to be done first; see below")
            if on is None
            else self._say(f"最早 {date_text(on).zh}", f"on {date_text(on).en} at the earliest")
        )
        return [f"{self._mark('✗', 31)} {self._bold(answer)} · {when}"]

    def _money(self) -> list[str]:
        figures = self._assessment
        rows = [
            (self._say("持有", "held"), figures.held_minor),
            (self._say("冻结", "frozen"), -figures.frozen_minor),
            (self._say("欠款", "owed"), -figures.owed_minor),
        ]
        if figures.kind is RefundKind.EXCESS:
            rows.append((self._say("应保留", "to be kept"), self._required_minor))
        rows.append((self._say("可退", "refundable"), figures.refundable_minor))
        written = [(label, self._amount(minor)) for label, minor in rows]
        width = max(len(amount) for _, amount in written)
        return [
            f"  {label}{' ' * (12 - _cells(label))}{amount:>{width}}" for label, amount in written
        ]

    def _open(self, finding: Finding) -> list[str]:
        lines = [f"  {self._mark('✗', 31)} {self._bold(self._in(finding.title))}"]
        details = [self._in(finding.message), self._in(finding.act)]
        if len(finding.evidence) > 1:
            details.append(self._evidence(finding))
        reference, text = finding.clause.reference, self._in(finding.clause.text)
        details.append(self._say(f"依据：{text}［{reference}］", f"Rule: {text} [{reference}]"))
        for detail in details:
            lines += _wrap(detail, "    ")
        return lines

    def _evidence(self, finding: Finding) -> str:
        shown = finding.evidence[:EVIDENCE_SHOWN_MAX]
        more = len(finding.evidence) - len(shown)
        names = ", ".join(item.id for item in shown)
        rest = self._say(f" 等，另有 {more} 项", f" and {more} more") if more else ""
        return self._say(f"涉及：{names}{rest}", f"Concerned: {names}{rest}")

    def _amount(self, minor: int) -> str:
        sign = "−" if minor < 0 else ""
        return sign + self._in(money_text(Money(abs(minor), self._assessment.currency)))

    def _in(self, text: Text) -> str:
        return text.in_language(self._language)

    def _say(self, zh: str, en: str) -> str:
        return self._in(Text(zh, en))

    def _mark(self, sign: str, colour: int) -> str:
        return f"\x1b[{colour}m{sign}\x1b[0m" if self._is_coloured else sign

    def _bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self._is_coloured else text


def _cells(text: str) -> int:
    """How many columns a text takes: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _wrap(text: str, indent: str) -> list[str]:
    if _cells(text) == len(text):
        return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
    lines, line = [], indent
    for character in text:
        if _cells(line) + _cells(character) > WIDTH and character not in "。，、；：）！？":
            lines.append(line)
            line = indent
        line += character
    return [*lines, line]
