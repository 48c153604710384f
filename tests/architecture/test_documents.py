"""Documents name only what is there: commands, targets, files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kuaitui.interfaces.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)")
PORTAL_WORDS = ROOT / "src/kuaitui/interfaces/portal/locale/zh_Hans/LC_MESSAGES/django.po"
CONSOLE_WORDS = ROOT / "src/kuaitui/interfaces/console/locale/zh_Hans/LC_MESSAGES/django.po"
COMMAND = re.compile(r"(?:\.venv/bin/)?kuaitui ([a-z-]+)")
TARGET = re.compile(r"\bmake ([a-z-]+)\b")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))

    missing = [link for link in links if not (document.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_in_code_exists(document: Path) -> None:
    code = re.findall(r"```.*?```|`[^`\n]+`", document.read_text(encoding="utf-8"), re.DOTALL)
    named = {name for text in code for name in COMMAND.findall(text)}

    assert named - set(COMMANDS) == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_in_code_exists(document: Path) -> None:
    code = re.findall(r"```.*?```|`[^`\n]+`", document.read_text(encoding="utf-8"), re.DOTALL)
    named = {name for text in code for name in TARGET.findall(text)}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named - targets == set()


def test_every_setting_is_listed_and_no_other() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r'"((?:KUAITUI|DATABASE)_\w+)', text)}
    listed = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:KUAITUI|DATABASE)_\w+)`", listed))

    # A request's number is in the environment of its request, not of the process.
    assert read - {"KUAITUI_REQUEST_ID"} == named


def test_the_words_for_support_are_those_on_the_sellers_pages() -> None:
    page = (ROOT / "docs" / "how-to" / "support-sellers.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([^|·]+) · ([^|]+) \|", page, re.MULTILINE)
    catalogue = PORTAL_WORDS.read_text(encoding="utf-8")

    assert len(told) > 8
    assert [pair for pair in told if 'msgid "{}"\nmsgstr "{}"'.format(*pair) not in catalogue] == []


def test_the_words_for_hearings_are_those_on_the_staffs_pages() -> None:
    page = (ROOT / "docs" / "how-to" / "hear-a-deduction.md").read_text(encoding="utf-8")
    told = re.findall(r"\*([A-Z][^*·]+) · ([^*]+)\*", page)
    catalogue = "".join(path.read_text("utf-8") for path in (CONSOLE_WORDS, PORTAL_WORDS))

    assert len(told) > 8
    assert [pair for pair in told if 'msgid "{}"\nmsgstr "{}"'.format(*pair) not in catalogue] == []


def test_both_readmes_name_the_two_commands() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "make demo" in text
        assert "make test" in text
