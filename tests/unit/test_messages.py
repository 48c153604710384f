"""What a catalogue lacks is found, whichever way a message is marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from kuaitui.config import messages

PO = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(messages, "PACKAGE", tmp_path)
    monkeypatch.setattr(messages, "_refusal_messages", lambda: iter(()))
    (tmp_path / "apps.py").touch()
    return tmp_path


def write_catalogue(package: Path, entries: str) -> Path:
    path = package / messages.CATALOGUE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PO + entries)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{% trans "Deposit" %}', ("Deposit",)),
        ("<c-card title=\"{% trans 'Deposit' %}\">", ("Deposit",)),
        ("{% blocktrans trimmed %}\n  Up to\n  {{ day }}{% endblocktrans %}", ("Up to %(day)s",)),
        (
            "{% blocktrans count n=n %}{{ n }} order{% plural %}{{ n }} orders{% endblocktrans %}",
            ("%(n)s order", "%(n)s orders"),
        ),
        ('{{ _("Deposit") }}', ("Deposit",)),
    ],
)
def test_a_template_marks_a_message(text: str, message: tuple[str, ...]) -> None:
    assert messages.marked_in_template(text) == {message}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('gettext_lazy("Deposit")', ("Deposit",)),
        ('_(\n    "Two "\n    "halves (joined)"\n)', ("Two halves (joined)",)),
        ('ngettext("one", "many", count)', ("one", "many")),
        ('pgettext("money", "Held")', ("Held",)),
    ],
)
def test_a_piece_of_python_marks_a_message(text: str, message: tuple[str, ...]) -> None:
    assert messages.marked_in_python(text) == {message}


def test_a_missing_word_is_found(package: Path) -> None:
    (package / "page.py").write_text('_("Deposit")')
    write_catalogue(package, "")

    assert [str(gap) for gap in messages.find_gaps()] == [
        f"{messages.CATALOGUE}: 'Deposit': missing"
    ]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ('msgid "Up to %(day)s"\nmsgstr ""', "not translated"),
        ('#, fuzzy\nmsgid "Up to %(day)s"\nmsgstr "到 %(day)s"', "marked fuzzy"),
        ('msgid "Up to %(day)s"\nmsgstr "到某天"', "leaves out a field"),
        ('msgid "Up to %(day)s"\nmsgstr "到 %(tag)s"', "names a field the original does not"),
        (
            'msgid "Up to %(day)s"\nmsgstr "到 %(day)s"\n\nmsgid "Old"\nmsgstr "旧"',
            "no longer said",
        ),
    ],
)
def test_a_faulty_entry_is_found(package: Path, entry: str, problem: str) -> None:
    (package / "page.py").write_text('_("Up to %(day)s")')
    write_catalogue(package, entry)

    assert any(problem in str(gap) for gap in messages.find_gaps())


def test_a_whole_catalogue_has_no_gaps(package: Path) -> None:
    (package / "page.py").write_text('_("Up to %(day)s")')
    write_catalogue(package, 'msgid "Up to %(day)s"\nmsgstr "到 %(day)s"')

    assert messages.find_gaps() == []


def test_update_keeps_what_is_translated_and_adds_what_is_new(package: Path) -> None:
    (package / "page.py").write_text('_("Old")\n_("New")')
    path = write_catalogue(package, 'msgid "Old"\nmsgstr "旧"\n\nmsgid "Gone"\nmsgstr "无"')

    messages.update_catalogues()

    assert 'msgid "Old"\nmsgstr "旧"' in path.read_text()
    assert 'msgid "New"\nmsgstr ""' in path.read_text()
    assert "Gone" not in path.read_text()


def test_only_a_changed_catalogue_is_compiled_again(package: Path) -> None:
    write_catalogue(package, 'msgid "Old"\nmsgstr "旧"')

    assert messages.compile_catalogues() == 1
    assert messages.compile_catalogues() == 0
