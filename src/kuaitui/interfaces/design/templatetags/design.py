"""Money, dates, masks and icons as every page writes them."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Protocol

import segno
from babel.dates import format_date, format_datetime
from babel.numbers import get_currency_symbol
from django import forms, template
from django.forms.boundfield import BoundField
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from kuaitui.channels.port import PayeeKind
from kuaitui.interfaces.design.capital_amounts import in_capitals
from kuaitui.interfaces.design.icons import ICONS
from kuaitui.kernel.money import EXPONENTS, Money
from kuaitui.kit.channel_names import name_of_channel
from kuaitui.kit.kept_forms import MARK_FIELD, mark_for

register = template.Library()


class TwoLanguages(Protocol):
    """A sentence that a policy keeps in both languages."""

    def in_language(self, language: str) -> str:
        """The sentence in one of them."""


class PayeeAccount(Protocol):
    """An account that money may go to, as far as these words need it."""

    @property
    def kind(self) -> PayeeKind:
        """What its number is the number of."""

    @property
    def bank_name(self) -> str:
        """The bank's name, as it was typed."""


MINUS = "\u2212"
# The light border without which a QR code is not found (ISO/IEC 18004 §6.3.8: four modules).
QUIET_MODULES = 4
_DAY = {"zh_Hans_CN": "y年M月d日", "en_GB": "d MMMM y"}
_DAY_SHORT = {"zh_Hans_CN": "M月d日", "en_GB": "d MMM"}
_WEEKDAY = {"zh_Hans_CN": "y年M月d日 EEE", "en_GB": "EEE d MMMM y"}
_MOMENT = {"zh_Hans_CN": "y年M月d日 HH:mm", "en_GB": "d MMM y, HH:mm"}
_MONTH = {"zh_Hans_CN": "y年M月", "en_GB": "MMMM y"}


def _locale() -> str:
    return "zh_Hans_CN" if (get_language() or "zh-hans").startswith("zh") else "en_GB"


def currency_symbol(currency: str) -> str:
    """`¥` for CNY in every language (our readers are in the mainland), `US$`, `JP¥` for others."""
    return get_currency_symbol(currency, locale="zh_Hans_CN")


def figures(amount: Money) -> str:
    """The figures alone, grouped, with the decimals of the currency: `5,000.00`."""
    return f"{abs(amount.to_decimal()):,.{EXPONENTS[amount.currency]}f}"


@register.filter
def money(amount: Money | None) -> str:
    """Write an amount: `¥5,000.00`, with a true minus sign before what is negative."""
    if amount is None:
        return ""
    sign = MINUS if amount.minor < 0 else ""
    return f"{sign}{currency_symbol(amount.currency)}{figures(amount)}"


@register.filter
def signed_money(amount: Money) -> str:
    """Write a movement: `+¥10.00` or `−¥10.00`."""
    return f"+{money(amount)}" if amount.minor > 0 else money(amount)


@register.filter
def negated(amount: Money) -> Money:
    """The same amount with the other sign."""
    return Money(-amount.minor, amount.currency)


@register.filter
def plain_amount(amount: Money) -> str:
    """An amount as a form field wants it: `5000.00`."""
    return f"{amount.to_decimal():.{EXPONENTS[amount.currency]}f}"


@register.simple_tag
def amount_parts(amount: Money) -> SafeString:
    """The sign and symbol set smaller than the figures, for large amounts; read as one."""
    sign = MINUS if amount.minor < 0 else ""
    return format_html(
        '<span class="amount-symbol">{}{}</span>{}',
        sign, currency_symbol(amount.currency), figures(amount),
    )  # fmt: skip


def _date(value: dt.date) -> dt.date:
    return timezone.localtime(value).date() if isinstance(value, dt.datetime) else value


@register.filter
def day(value: dt.date | None) -> str:
    """A date in words: `2026年12月14日`, `14 December 2026`."""
    return format_date(_date(value), _DAY[_locale()], locale=_locale()) if value else ""


@register.filter
def short_day(value: dt.date | None) -> str:
    """A date without its year, where the year is written beside it."""
    return format_date(_date(value), _DAY_SHORT[_locale()], locale=_locale()) if value else ""


@register.filter
def weekday(value: dt.date | None) -> str:
    """A date with its day of the week, for deadlines."""
    return format_date(_date(value), _WEEKDAY[_locale()], locale=_locale()) if value else ""


@register.filter
def last_day(value: dt.datetime | None) -> str:
    """The last day before a moment: a deadline at midnight is over with the day before."""
    if value is None:
        return ""
    return weekday(timezone.localtime(value - dt.timedelta(microseconds=1)).date())


@register.filter
def month(value: dt.date | None) -> str:
    """A month in words, to head a group."""
    return format_date(_date(value), _MONTH[_locale()], locale=_locale()) if value else ""


@register.filter
def moment(value: dt.datetime | None) -> str:
    """A date with its time, in the zone of the marketplace."""
    if value is None:
        return ""
    return format_datetime(timezone.localtime(value), _MOMENT[_locale()], locale=_locale())


@register.filter
def stamp(value: dt.datetime | None) -> str:
    """A date and time in figures, for tables: `2026-12-14 09:30`."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""


@register.filter
def stamp_day(value: dt.date | None) -> str:
    """A date in figures, for tables: `2026-12-14`."""
    return f"{_date(value):%Y-%m-%d}" if value else ""


@register.filter
def iso(value: dt.date | None) -> str:
    """What a `<time datetime>` carries."""
    if value is None:
        return ""
    return timezone.localtime(value).isoformat() if isinstance(value, dt.datetime) else str(value)


@register.filter
def masked_tail(number: str) -> str:
    """The last four characters of an account number behind dots: `•••• 1234`."""
    tail = re.sub(r"[\s-]", "", number)[-4:]
    return f"•••• {tail}" if tail else ""


@register.filter
def keeper(account: PayeeAccount) -> str | Promise:
    """Who keeps a payee account: its bank as it was typed, or Alipay in the reader's language."""
    match account.kind:
        case PayeeKind.BANK_ACCOUNT:
            return account.bank_name
        case PayeeKind.ALIPAY_ACCOUNT:
            return name_of_channel("alipay")
        case PayeeKind.WECHAT_USER:
            return name_of_channel("wechatpay")


@register.filter
def masked_name(name: str) -> str:
    """A holder's name with all but its end hidden: `*小明`, `**有限公司` keeps its last four."""
    shown = name[-4:] if len(name) > 6 else name[1:]
    return f"{'*' * min(len(name) - len(shown), 4)}{shown}"


@register.filter
def spoken(text: TwoLanguages) -> str:
    """A sentence kept in both languages, in the reader's."""
    return text.in_language(get_language() or "zh-hans")


@register.filter
def percent(value: Decimal | float) -> str:
    """A share between 0 and 1 as whole percent."""
    return f"{round(value * 100)}%"


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Draw an icon. It is decoration: the word beside it says the same."""
    drawing = mark_safe(ICONS[name])  # noqa: S308 - our own constant
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" width="24" height="24" fill="none"'
        ' stroke="currentColor" stroke-width="1.75" stroke-linecap="round"'
        ' stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>',
        css, drawing,
    )  # fmt: skip


@register.filter
def capitals(amount: Money | None) -> str:
    """An amount of renminbi in capitals, for papers: `叁佰元整`."""
    return in_capitals(amount) if amount is not None else ""


@register.simple_tag
def qr_code(content: str, label: str) -> SafeString:
    """Draw a QR code: dark on light in every theme, or cameras would not read it."""
    code = segno.make_qr(content, error="m")
    side, _height = code.symbol_size(border=QUIET_MODULES)
    path = "".join(
        f"M{column + QUIET_MODULES} {row + QUIET_MODULES}h1v1h-1z"
        for row, modules in enumerate(code.matrix)
        for column, is_dark in enumerate(modules)
        if is_dark
    )
    return format_html(
        '<svg class="qr" viewBox="0 0 {} {}" role="img" aria-label="{}" shape-rendering="crispEdges">'
        '<path fill="#ffffff" d="M0 0h{}v{}H0z"/><path fill="#000000" d="{}"/></svg>',
        side, side, label, side, side, path,
    )  # fmt: skip


register.filter("channel_name", name_of_channel)


STATUS_ICONS = {
    "good": "check-circle",
    "wait": "clock",
    "act": "alert",
    "bad": "cross-circle",
    "info": "info",
    "quiet": "dot",
    "pause": "pause",
    "ask": "question",
    "return": "return",
}


@register.simple_tag
def tone_icon(tone: str, css: str = "") -> SafeString:
    """The icon that goes with a tone, so that colour never speaks alone."""
    return icon(STATUS_ICONS[tone], css)


@register.simple_tag
def control(field: BoundField, hint: str = "") -> SafeString:
    """Draw a form field's widget, tied to its hint and its errors for those who cannot see them."""
    kind = "textarea" if isinstance(field.field.widget, forms.Textarea) else "input"
    kind = "select" if isinstance(field.field.widget, forms.Select) else kind
    css = f"{kind} {field.field.widget.attrs.get('class', '')}".strip()
    named = [f"{field.auto_id}_hint"] if hint or field.help_text else []
    named += [f"{field.auto_id}_error"] if field.errors else []
    attributes: dict[str, str | bool] = {"class": css}
    if named:
        attributes["aria-describedby"] = " ".join(named)
    if field.errors:
        attributes["aria-invalid"] = "true"
    return field.as_widget(attrs=attributes)


@register.filter
def chosen(field: BoundField, value: object) -> bool:
    """Whether a choice is the one the form holds."""
    held = field.value()
    return (
        str(value) in map(str, held) if isinstance(held, list | tuple) else str(held) == str(value)
    )


@register.simple_tag(takes_context=True)
def form_marks(context: template.Context) -> SafeString:
    """What every form we show carries: against forgery, and so that nothing typed is lost."""
    request = context["request"]
    person_id = getattr(request.user, "public_id", "")
    return format_html(
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<input type="hidden" name="{}" value="{}">',
        get_token(request), MARK_FIELD, mark_for(person_id) if person_id else "",
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: object) -> str:
    """The present address's query with some parameters changed; None removes one."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"
