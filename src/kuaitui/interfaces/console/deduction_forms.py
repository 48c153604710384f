"""What staff fill in about deductions. Forms only read; whether it may be done is said elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kuaitui.deductions.queries import CaseView
from kuaitui.deductions.rules import REFERENCE_LENGTH_MAX, TEXT_LENGTH_MAX
from kuaitui.deposits.queries import deposit, deposits_of_shop
from kuaitui.deposits.types import DeductionItem, DeductionPurpose, DepositSummary
from kuaitui.facts.queries import find_shop
from kuaitui.interfaces.console.deduction_words import PURPOSES
from kuaitui.interfaces.console.forms import DecisionForm
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.ids import IdPrefix, is_id
from kuaitui.kernel.money import Money

ROWS: Final = 6
QUANTITY_MAX: Final = 100_000
_COLUMNS: Final = ("description", "quantity", "unit", "evidence")
_BETWEEN_IDS: Final = re.compile(r"[\s,，、;；]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One item as it is typed: what, how many, at how much, on which evidence."""

    number: int
    description: BoundField
    quantity: BoundField
    unit: BoundField
    evidence: BoundField


class AnnounceForm(forms.Form):
    """Announce a deduction: from which deposit, what for, item by item."""

    account = forms.CharField(
        max_length=64,
        label=_("Deposit"),
        help_text=_("Its id, dep_…, or the id of a shop with one deposit."),
        widget=forms.TextInput(attrs={"class": "input-code", "autocomplete": "off"}),
        error_messages={"required": _("Say from which deposit.")},
    )
    reference = forms.CharField(
        max_length=REFERENCE_LENGTH_MAX,
        label=_("Number of your case"),
        help_text=_("The marketplace’s own. The same number again announces nothing twice."),
        widget=forms.TextInput(attrs={"class": "input-code", "autocomplete": "off"}),
        error_messages={"required": _("Enter the number of your case.")},
    )
    purpose = forms.ChoiceField(
        label=_("Who gets it"),
        choices=[(purpose.value, word) for purpose, word in PURPOSES.items()],
        initial=DeductionPurpose.COMPENSATION.value,
    )
    reason = forms.CharField(
        max_length=500,
        label=_("What happened, in your words"),
        help_text=_("The seller reads these words. Say plainly what happened, without blame."),
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say what happened.")},
    )
    clause = forms.CharField(
        max_length=200,
        label=_("Rule"),
        help_text=_("The clause it rests on, as the seller can find it."),
        error_messages={"required": _("Name the rule it rests on.")},
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        for number in range(1, ROWS + 1):
            self.fields |= _row_fields(number)
        self.deposit: DepositSummary | None = None
        self.items: tuple[DeductionItem, ...] = ()

    @property
    def rows(self) -> Iterator[Row]:
        """The rows of items, those that are empty too."""
        for number in range(1, ROWS + 1):
            yield Row(number, *(self[f"{column}_{number}"] for column in _COLUMNS))

    def clean(self) -> dict[str, Any]:
        """Find the deposit, then read the items in its currency."""
        typed: dict[str, Any] = super().clean() or {}
        if "account" in typed:
            self._find_deposit(typed["account"])
        if self.deposit is not None:
            found = [self._read_row(number, typed) for number in range(1, ROWS + 1)]
            self.items = tuple(item for item in found if item is not None)
            if not self.items and not self.errors:
                self.add_error("description_1", gettext("Enter at least one item."))
        return typed

    def _find_deposit(self, typed: str) -> None:
        wanted = typed.strip()
        try:
            if is_id(wanted, IdPrefix.DEPOSIT_ACCOUNT):
                self.deposit = deposit(wanted)
                return
            found = deposits_of_shop(shop_key=find_shop(shop_id=wanted).key)
        except Refusal as refusal:
            self.add_error("account", gettext(refusal.message))
            return
        if len(found) == 1:
            (self.deposit,) = found
            return
        ids = ", ".join(one.account_id for one in found)
        self.add_error(
            "account",
            gettext("This shop has several deposits: %(ids)s. Name one.") % {"ids": ids}
            if found
            else gettext("This shop has no deposit."),
        )

    def _read_row(self, number: int, typed: dict[str, Any]) -> DeductionItem | None:
        """An item, or nothing if its row is empty. What is missing in it is said beside it."""
        assert self.deposit is not None  # read once it is found
        words = {column: typed.get(f"{column}_{number}") for column in _COLUMNS}
        if not any(words[column] for column in ("description", "unit", "evidence")):
            return None
        for column, missing in (
            ("description", gettext("Say what it is for.")),
            ("unit", gettext("Enter the amount.")),
            ("evidence", gettext("Name at least one order or case.")),
        ):
            if not words[column] and f"{column}_{number}" not in self.errors:
                self.add_error(f"{column}_{number}", missing)
        try:
            unit = Money.parse_typed(words["unit"] or "0", self.deposit.currency)
        except Refusal as refusal:
            self.add_error(f"unit_{number}", gettext(refusal.message))
            return None
        if words["unit"] and not unit.is_positive:
            self.add_error(f"unit_{number}", gettext("The amount must be more than zero."))
        evidence = tuple(one for one in _BETWEEN_IDS.split(words["evidence"] or "") if one)
        return DeductionItem(
            (words["description"] or "").strip(), words["quantity"] or 1, unit, evidence
        )


def _row_fields(number: int) -> dict[str, forms.Field]:
    def label(text: str) -> str:
        return gettext("Item %(number)d: %(what)s") % {"number": number, "what": text}

    code = {"class": "input-code", "autocomplete": "off"}
    return {
        f"description_{number}": forms.CharField(
            required=False, max_length=200, label=label(gettext("what"))
        ),
        f"quantity_{number}": forms.IntegerField(
            required=False,
            min_value=1,
            max_value=QUANTITY_MAX,
            initial=1,
            label=label(gettext("how many")),
        ),
        f"unit_{number}": forms.CharField(
            required=False,
            max_length=40,
            label=label(gettext("each")),
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        ),
        f"evidence_{number}": forms.CharField(
            required=False,
            max_length=500,
            label=label(gettext("orders or cases")),
            widget=forms.TextInput(attrs=code),
        ),
    }


class CaseForm(DecisionForm):
    """Say something about a case as it was shown."""

    text = forms.CharField(
        max_length=TEXT_LENGTH_MAX,
        label=_("Why?"),
        help_text=_("The seller reads these words."),
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Say why, in a few words.")},
    )


class ItemsForm(CaseForm):
    """Choose items of a case."""

    numbers = forms.TypedMultipleChoiceField(
        coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    field_order = ("version", "numbers", "text")

    def __init__(self, *arguments: Any, case: CaseView, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        choices = [(str(one.number), one.item.description) for one in case.items]
        self.fields["numbers"].choices = choices  # type: ignore[attr-defined]
