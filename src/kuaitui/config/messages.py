"""The catalogues of words: compile them, find what is missing, bring them in step.

Pure Python with Babel, because a user's machine has no GNU gettext. `python -m
kuaitui.config.messages compile|check|update`.
"""

from __future__ import annotations

import ast
import importlib
import io
import os
import pkgutil
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE: Final = Path(__file__).resolve().parent.parent
CATALOGUE: Final = Path("locale/zh_Hans/LC_MESSAGES/django.po")
# Words of packages that are no Django app live with the shared looks.
HOME_OF_THE_REST: Final = PACKAGE / "interfaces" / "design"
_MARKED = re.compile(r"(?<![\w.])(?:n?p?gettext(?:_lazy|_noop)?|_)\(")
_PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]|(?<!%)%[sd]")
HOW_TO_MEND: Final = (
    "Run `python -m kuaitui.config.messages update`, then write the Chinese of each empty msgstr."
)
HEADER: Final = """msgid ""
msgstr ""
"Language: zh_Hans\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""
Message = tuple[str, ...]  # one word form, or singular and plural


@dataclass(frozen=True, slots=True)
class Gap:
    """What is wrong with a catalogue, in one line."""

    where: Path
    what: str

    def __str__(self) -> str:
        return f"{self.where.relative_to(PACKAGE)}: {self.what}"


def catalogue_paths() -> list[Path]:
    """Every catalogue of the package."""
    return sorted(PACKAGE.rglob(str(CATALOGUE)))


def compile_catalogues() -> int:
    """Write the machine form of each catalogue that has changed; return how many."""
    stale = [path for path in catalogue_paths() if _is_stale(path)]
    for path in stale:
        with path.with_suffix(".mo").open("wb") as target:
            write_mo(target, _read(path))
    return len(stale)


def _is_stale(path: Path) -> bool:
    machine = path.with_suffix(".mo")
    return not machine.exists() or machine.stat().st_mtime_ns < path.stat().st_mtime_ns


def _read(path: Path) -> Catalog:
    with path.open("rb") as source:
        return read_po(source, locale="zh_Hans", domain="django")


def marked_in_python(text: str) -> set[Message]:
    """The messages that calls of gettext and its kin name in a piece of Python."""
    return set(_messages(text))


def marked_in_template(text: str) -> set[Message]:
    """The messages a template marks, in the form Django looks them up by."""
    from django.utils.translation.template import templatize  # noqa: PLC0415 - needs settings

    return set(_messages(templatize(text)))


def _messages(text: str) -> Iterator[Message]:
    for match in _MARKED.finditer(text):
        call = _call_at(text[match.start() :])
        if call is None or not call.args:
            continue
        words = [ast.literal_eval(word) for word in call.args if isinstance(word, ast.Constant)]
        name = match[0].rstrip("(")
        words = words[1:] if name.startswith(("pgettext", "npgettext")) else words
        count = 2 if name.startswith("n") else 1
        if len(words) >= count and isinstance(words[0], str):
            yield tuple(words[:count])


def _call_at(text: str) -> ast.Call | None:
    depth = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            depth += {"(": 1, ")": -1}.get(token.string, 0) if token.type == tokenize.OP else 0
            if depth == 0 and token.string == ")":
                lines = text.splitlines(keepends=True)[: token.end[0]]
                lines[-1] = lines[-1][: token.end[1]]
                tree = ast.parse("".join(lines), mode="eval").body
                return tree if isinstance(tree, ast.Call) else None
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return None
    return None


def marked_messages() -> dict[Path, set[Message]]:
    """Every marked message of the package by the catalogue it belongs to."""
    found: dict[Path, set[Message]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" not in path.parts and path != Path(__file__):
            found.setdefault(_home(path), set()).update(marked_in_python(path.read_text()))
    for path in sorted(PACKAGE.rglob("templates/**/*.html")):
        if path.name != "gallery.html":
            found.setdefault(_home(path), set()).update(marked_in_template(path.read_text()))
    for path, message in _refusal_messages():
        found.setdefault(_home(path), set()).add((message,))
    return {home: messages for home, messages in found.items() if messages}


def _home(path: Path) -> Path:
    for parent in path.parents:
        if (parent / "apps.py").exists():
            return parent / CATALOGUE
    return HOME_OF_THE_REST / CATALOGUE


def _refusal_messages() -> Iterator[tuple[Path, str]]:
    """The docstring of every refusal in the package: what a person is told."""
    import kuaitui  # noqa: PLC0415
    from kuaitui.kernel.errors import Refusal  # noqa: PLC0415

    for module in pkgutil.walk_packages(kuaitui.__path__, "kuaitui."):
        if not module.name.endswith(("__main__", ".wsgi", ".main")):
            importlib.import_module(module.name)
    waiting: list[type[Refusal]] = [Refusal]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("kuaitui."):
            # The words belong to the class; no instance with details is needed.
            yield Path(str(sys.modules[kind.__module__].__file__)), kind.__new__(kind).message


def find_gaps() -> list[Gap]:
    """Everything a reader of Chinese would miss, and every word nobody says any more."""
    wanted = marked_messages()
    gaps: list[Gap] = []
    said: dict[Message, str] = {}
    everything = set().union(*wanted.values()) if wanted else set()
    for path in catalogue_paths():
        for entry in _read(path):
            words = _words(entry.id)
            if not words[0]:
                continue
            told = _words(entry.string)
            gaps += [Gap(path, f"{words[0]!r}: {problem}") for problem in _problems(words, told)]
            gaps += [Gap(path, f"{words[0]!r}: marked fuzzy")] if entry.fuzzy else []
            if words not in everything:
                gaps.append(Gap(path, f"{words[0]!r}: no longer said anywhere"))
            elif said.setdefault(words, told[0]) != told[0]:
                gaps.append(Gap(path, f"{words[0]!r}: translated otherwise elsewhere"))
    for home, messages in sorted(wanted.items()):
        gaps += [Gap(home, f"{message[0]!r}: missing") for message in sorted(messages - set(said))]
    return gaps


def _words(entry: object) -> Message:
    return tuple(entry) if isinstance(entry, list | tuple) else (str(entry),)


def _problems(words: Message, told: Message) -> Iterator[str]:
    if not all(told):
        yield "not translated"
    elif any(set(_PLACEHOLDER.findall(form)) - _fields(words) for form in told):
        yield "names a field the original does not have"
    elif len(words) == 1 and set(_PLACEHOLDER.findall(told[0])) != _fields(words):
        yield "leaves out a field of the original"


def _fields(words: Message) -> set[str]:
    return {name for form in words for name in _PLACEHOLDER.findall(form)}


def update_catalogues() -> None:
    """Add what is new with an empty translation, drop what nobody says; the order is the alphabet's."""
    wanted = marked_messages()
    known: dict[Message, Message] = {}
    for path in catalogue_paths():
        known |= {_words(entry.id): _words(entry.string) for entry in _read(path) if entry.id}
    written: set[Message] = set()
    for home, messages in sorted(wanted.items()):
        catalogue = Catalog(locale="zh_Hans", domain="django", charset="utf-8", fuzzy=False)
        for words in sorted(messages - written):
            told = known.get(words, ("",))
            catalogue.add(
                words if len(words) > 1 else words[0],
                told if len(words) > 1 else told[0],
                flags=("python-format",) if _fields(words) else (),
            )
        written |= messages
        home.parent.mkdir(parents=True, exist_ok=True)
        home.write_bytes(_written(catalogue))


def _written(catalogue: Catalog) -> bytes:
    """The text of a catalogue, with a header that does not change from day to day."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=100, no_location=True, omit_header=True)
    return HEADER.encode() + buffer.getvalue()


def main(arguments: list[str]) -> int:
    """Do what the one argument says."""
    match arguments:
        case ["compile"]:
            compile_catalogues()
            return 0
        case ["check" | "update" as act]:
            import django  # noqa: PLC0415

            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kuaitui.config.settings")
            django.setup()
            if act == "update":
                update_catalogues()
                return 0
            gaps = find_gaps()
            for gap in gaps:
                sys.stdout.write(f"{gap}\n")
            if gaps:
                sys.stdout.write(f"{HOW_TO_MEND}\n")
            return 1 if gaps else 0
        case _:
            sys.stderr.write("usage: python -m kuaitui.config.messages compile|check|update\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
