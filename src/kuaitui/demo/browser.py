"""A person at a browser without JavaScript: opens pages, fills forms, presses buttons.

Only what the pages offer can be done here: a field that is not on the page cannot be filled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.kernel.invariants import ensure

TIMEOUT_S = 20.0


class FormMissing(Refusal):
    """The page has no such form."""

    code = "browser.form_missing"
    kind = RefusalKind.NOT_FOUND


@dataclass(slots=True)
class Form:
    """One form of a page, with the values it holds."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """What came back: where it is, what it says, which forms it has."""

    url: str
    status: int
    text: str
    forms: list[Form]
    links: list[tuple[str, str]]
    html: str

    def form(self, with_field: str) -> Form:
        """The form that has this field (or choice).

        Raises:
            FormMissing: the page has none.
        """
        for form in self.forms:
            if with_field in form.fields or with_field in form.choices:
                return form
        raise FormMissing(url=self.url, status=self.status, field=with_field)

    def own_form(self) -> Form:
        """The form that sends to the page itself.

        Raises:
            FormMissing: the page has none.
        """
        for form in self.forms:
            if form.method == "post" and form.action in {"", httpx.URL(self.url).path}:
                return form
        raise FormMissing(url=self.url, status=self.status)


class Browser:
    """One person's session."""

    def __init__(self, base_url: str, *, language: str = "zh-hans") -> None:
        self._client = httpx.Client(
            base_url=base_url, timeout=TIMEOUT_S, follow_redirects=True, trust_env=False,
            headers={"Accept-Language": language},
        )  # fmt: skip

    def close(self) -> None:
        """Leave."""
        self._client.close()

    def open(self, path: str) -> Page:
        """Open a page."""
        return _page(self._client.get(path))

    def send(self, page: Page, form: Form, **values: str) -> Page:
        """Fill fields that the form has, and send it."""
        unknown = set(values) - set(form.fields) - set(form.choices)
        ensure(not unknown, f"the form on {page.url} has the fields {sorted(unknown)}")
        for name, value in values.items():
            offered = form.choices.get(name)
            ensure(offered is None or value in offered, f"{name} offers {value!r} on {page.url}")
        target = httpx.URL(page.url).join(form.action or page.url)
        content = {**form.fields, **values}
        if form.method == "get":
            return _page(self._client.get(target, params=content))
        return _page(self._client.post(target, data=content, headers={"Referer": page.url}))


class _Reader(HTMLParser):
    """Collects forms, links and visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.text: list[str] = []
        self._hidden = 0
        self._textarea: str | None = None
        self._select: str | None = None
        self._link: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        match tag:
            case "script" | "style" | "title":
                self._hidden += 1
            case "form":
                self.forms.append(
                    Form(values.get("action", ""), values.get("method", "get").lower())
                )
            case "a":
                self._link = [values.get("href", ""), ""]
            case _ if self.forms:
                self._control(tag, values)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style", "title"}:
            self._hidden -= 1
        elif tag == "a" and self._link is not None:
            self.links.append((self._link[0], " ".join(self._link[1].split())))
            self._link = None
        elif tag == "textarea":
            self._textarea = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self.forms[-1].fields[self._textarea] += data
        elif not self._hidden and data.strip():
            self.text.append(" ".join(data.split()))
        if self._link is not None:
            self._link[1] += data

    def _control(self, tag: str, values: dict[str, str]) -> None:
        form, name = self.forms[-1], values.get("name", "")
        match tag, values.get("type", "text"):
            case "textarea", _ if name:
                self._textarea, form.fields[name] = name, ""
            case "select", _ if name:
                self._select, form.choices[name] = name, []
            case "option", _ if self._select:
                form.choices[self._select].append(values.get("value", ""))
                if "selected" in values or self._select not in form.fields:
                    form.fields[self._select] = values.get("value", "")
            case "input", "radio" | "checkbox" if name:
                form.choices.setdefault(name, []).append(values.get("value", "on"))
                if "checked" in values:
                    form.fields[name] = values.get("value", "on")
            case "button", _:
                form.buttons.append((name, values.get("value", ""), values.get("formaction", "")))
            case "input", kind if name and kind != "submit":
                form.fields[name] = values.get("value", "")


def _page(response: httpx.Response) -> Page:
    reader = _Reader()
    reader.feed(response.text)
    return Page(
        url=str(response.url), status=response.status_code, text="\n".join(reader.text),
        forms=reader.forms, links=reader.links, html=response.text,
    )  # fmt: skip
