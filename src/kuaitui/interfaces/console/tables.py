"""What lists on the staff's pages share: tiles, tabs, paging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest

PAGES_MAX: Final = 200
TRAIL_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure at the head of a page."""

    label: str
    count: int
    href: str = ""
    tone: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the views of a list."""

    label: str
    href: str
    count: int | str = ""
    is_current: bool = False


def page_number(request: HttpRequest) -> int:
    """The page asked for; the first for anything that is no page."""
    text = request.GET.get("page", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return min(max(number, 1), PAGES_MAX)


def pages(request: HttpRequest, page: int, *, has_more: bool) -> tuple[str, str]:
    """Addresses of the page before and the page after; empty where there is none."""
    return (
        _address(request, page=str(page - 1)) if page > 1 else "",
        _address(request, page=str(page + 1)) if has_more and page < PAGES_MAX else "",
    )


def trail(request: HttpRequest, following: str | None) -> tuple[str, str]:
    """The same for lists that go on after a key: the keys of the pages before travel along."""
    before = [key for key in request.GET.get("trail", "").split(" ") if key][-TRAIL_MAX:]
    here = request.GET.get("after", "")
    newer = older = ""
    if here:
        newer = _address(
            request, after=before[-1].strip("-") if before else "", trail=" ".join(before[:-1])
        )
    if following:
        older = _address(request, after=following, trail=" ".join([*before, here or "-"]))
    return newer, older


def _address(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        if value:
            query[name] = value
        else:
            query.pop(name, None)
    return f"?{query.urlencode()}"
