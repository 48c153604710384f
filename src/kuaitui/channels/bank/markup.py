"""XML as banks send it, read without trust: no document type, no entities, bounded everything.

The tree is our own, since only it knows the line that a refusal has to name.
"""

from __future__ import annotations

import xml.parsers.expat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from kuaitui.channels.bank.words import MessageRefused

MESSAGE_BYTES_MAX: Final = 8 * 1024 * 1024
DEPTH_MAX: Final = 40
ELEMENTS_MAX: Final = 400_000


@dataclass(slots=True)
class Element:
    """One element, without its namespace, and where it stands."""

    name: str
    line_no: int
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, path: str) -> Iterator[Element]:
        """Every element below at this path (`Ntry/NtryDtls`)."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                if rest:
                    yield from child.all(rest)
                else:
                    yield child

    def first(self, path: str) -> Element | None:
        """The first element at this path, or nothing."""
        return next(self.all(path), None)

    def need(self, path: str) -> Element:
        """The first element at this path.

        Raises:
            MessageRefused: there is none.
        """
        found = self.first(path)
        if found is None:
            raise MessageRefused("element_missing", where=f"{self.where}/{path}")
        return found

    def say(self, path: str) -> str:
        """The text at this path; empty if there is none."""
        found = self.first(path)
        return found.text if found is not None else ""

    @property
    def where(self) -> str:
        """Line and name, for a person who looks."""
        return f"line {self.line_no} {self.name}"


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document: its message definition (`camt.053`) and the root."""

    definition: str
    root: Element


def parse(content: bytes) -> Document:
    """Read a message's bytes.

    Raises:
        MessageRefused: too large, not well-formed, not UTF-8, no ISO 20022 message, or with a
            document type, by which XML expands and fetches.
    """
    if len(content) > MESSAGE_BYTES_MAX:
        raise MessageRefused("too_large")
    builder = _Builder()
    try:
        builder.parser.Parse(content, True)  # noqa: FBT003 - expat takes no keywords
    except xml.parsers.expat.ExpatError as problem:
        raise MessageRefused("not_well_formed", where=f"line {problem.lineno}") from None
    namespace, _, name = builder.root_name.rpartition(" ")
    definition = namespace.removeprefix("urn:iso:std:iso:20022:tech:xsd:")
    if definition == namespace or name != "Document" or not builder.root.children:
        raise MessageRefused("not_iso_20022", where="line 1")
    return Document(".".join(definition.split(".")[:2]), builder.root.children[0])


class _Builder:
    """Builds the tree while expat reads."""

    def __init__(self) -> None:
        self.parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.root_name = ""
        self.root = Element("", 0)
        self._open: list[Element] = []
        self._count = 0

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.upper() not in {"UTF-8", "UTF8"}:
            raise MessageRefused("not_utf_8", where="line 1")

    def _doctype(self, *_: Any) -> None:  # noqa: ANN401 - expat's own arguments
        raise MessageRefused("document_type", where=f"line {self.parser.CurrentLineNumber}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        line_no = self.parser.CurrentLineNumber
        if self._count > ELEMENTS_MAX or len(self._open) >= DEPTH_MAX:
            raise MessageRefused("too_large", where=f"line {line_no}")
        element = Element(name.rpartition(" ")[2], line_no, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root_name, self.root = name, element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        element.text = element.text.strip()

    def _text(self, text: str) -> None:
        self._open[-1].text += text
