"""What is wrong with a document, field by field, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PROBLEMS_MAX: Final = 200  # a person mends a file from the top; more than this helps nobody

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "missing": ("缺少此字段", "is missing"),
    "unknown_field": (
        "没有这个字段；请删除或检查拼写",
        "is not a known field; remove it or check its spelling",
    ),
    "wrong_type": ("应为{expected_zh}，现为{found_zh}", "must be {expected}, is {found}"),
    "empty": ("不能为空", "must not be empty"),
    "too_long": ("过长：最多 {limit} 个字符", "is too long: {limit} characters at most"),
    "unprintable": ("含有不可见或无效的字符", "contains invisible or broken characters"),
    "too_small": ("不能小于 {limit}", "must not be less than {limit}"),
    "too_large": ("不能大于 {limit}", "must not be more than {limit}"),
    "not_a_choice": ("“{found}”不在可选值之内：{choices}", "“{found}” is not one of: {choices}"),
    "unreadable_time": (
        "不是带时区的 ISO 8601 时间，例如 2026-11-23T10:00:00+08:00",
        "is not an ISO 8601 time with offset, like 2026-11-23T10:00:00+08:00",
    ),
    "naive_time": (
        "缺少时区；请写明，例如 2026-11-23T10:00:00+08:00",
        "has no offset; write it, like 2026-11-23T10:00:00+08:00",
    ),
    "time_out_of_range": ("年份须在 {first} 至 {last} 之间", "must lie in the years {first} to {last}"),
    "earlier_than": ("早于 {other}", "is earlier than {other}"),
    "end_missing": ("状态为“{status}”时必须写明时间", "must be given when the status is “{status}”"),
    "end_not_reached": (
        "状态仍为“{status}”，但此时间不晚于 as_of；请改状态或时间",
        "is not later than as_of although the status is “{status}”; correct one of them",
    ),
    "duplicate": ("重复：{found} 已在 {other} 出现", "is a duplicate: {found} is already at {other}"),
    "too_many": ("条目过多：最多 {limit} 条", "has too many items: {limit} at most"),
    "unknown_currency": ("不支持的币种“{found}”", "“{found}” is not a supported currency"),
    "unknown_zone": ("没有“{found}”这个时区", "“{found}” is not a known time zone"),
    "unverified": (
        "只有置信度为 A 的值可以标为已核实",
        "only values of confidence A may be marked as verified",
    ),
    "not_applicable": ("此处不适用", "does not apply here"),
    "needs_condition": (
        "以“{anchor}”起算时，同类退款须同时适用 {code}",
        "counts from “{anchor}”, so {code} must apply to the same refund kinds",
    ),
    "unreadable": ("无法读取：{reason_zh}", "cannot be read: {reason}"),
    "bad_expression": ("表达式有误：{reason}", "is not a usable expression: {reason}"),
    "bad_placeholder": ("含有未知的占位符：{found}", "has an unknown placeholder: {found}"),
    "more": ("另有 {count} 处问题未列出", "{count} more problems are not listed"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where."""

    path: str
    kind: str
    details: Mapping[str, object] = field(default_factory=dict)

    def in_language(self, language: str) -> str:
        """The problem in words, with its place in front."""
        words = _WORDS[self.kind][0 if language.lower().startswith("zh") else 1]
        return f"{self.path}: {words.format(**self.details)}"

    def __str__(self) -> str:
        return self.in_language("en")
