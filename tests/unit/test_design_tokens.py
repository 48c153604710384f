"""The colours of both schemes keep their contrasts, and the whole stays within its budget."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import django_htmx
import pytest

from kuaitui.interfaces import design

STATIC = Path(design.__file__).parent / "static" / "design"
TEXT_RATIO, BOUNDARY_RATIO = 4.5, 3.0
SURFACES = ("canvas", "surface", "sunken")
WASHES = ("accent-wash", "good-wash", "warn-wash", "bad-wash")

TEXT_PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-soft") for ground in (*SURFACES, *WASHES)),
    *(("ink-faint", ground) for ground in SURFACES),
    *((tone, ground) for tone in ("accent", "good", "warn", "bad") for ground in SURFACES),
    *((tone, f"{tone}-wash") for tone in ("accent", "good", "warn", "bad")),
    *(("accent", ground) for ground in WASHES),
    ("accent-deep", "surface"),
    ("on-accent", "accent"),
    ("on-accent", "accent-deep"),
]
BOUNDARY_PAIRS = [
    *(("line-strong", ground) for ground in SURFACES),
    *(("focus", ground) for ground in (*SURFACES, *WASHES)),
]


def read_tokens() -> dict[str, dict[str, str]]:
    light, dark = (STATIC / "tokens.css").read_text().split("@media (prefers-color-scheme: dark)")
    found = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in (light, dark)]
    return {"light": found[0], "dark": found[0] | found[1]}


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_has_the_contrast_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#07c160", "#ffffff") == pytest.approx(2.38, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_can_be_read_on_its_ground(scheme: str, ink: str, ground: str) -> None:
    tokens = read_tokens()[scheme]

    assert contrast(tokens[ink], tokens[ground]) >= TEXT_RATIO


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), BOUNDARY_PAIRS)
def test_the_bounds_of_what_can_be_used_are_seen(scheme: str, line: str, ground: str) -> None:
    tokens = read_tokens()[scheme]

    assert contrast(tokens[line], tokens[ground]) >= BOUNDARY_RATIO


def test_every_colour_has_a_light_and_a_dark_form() -> None:
    light, dark = (STATIC / "tokens.css").read_text().split("@media (prefers-color-scheme: dark)")
    names = [set(re.findall(r"--([a-z-]+): #", part)) for part in (light, dark)]

    assert names[0] == names[1]


def test_no_style_sheet_names_a_colour_that_is_no_token() -> None:
    for sheet in ("kuaitui.css", "staff.css"):
        screen = (STATIC / sheet).read_text().split("@media print")[0]
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s])", screen) == []


def test_no_style_sheet_or_script_fetches_from_elsewhere() -> None:
    for path in STATIC.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|@import|@font-face|//[a-z]+\.", text), path.name


def test_what_a_seller_downloads_stays_within_45_kilobytes() -> None:
    htmx = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
    files = [STATIC / "tokens.css", STATIC / "kuaitui.css", STATIC / "kuaitui.js", htmx]

    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) <= 45 * 1024
