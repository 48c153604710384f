"""What staff fill in. Forms only read; whether it may be done is said by the context."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kuaitui.deposits.types import Resolution
from kuaitui.facts.errors import ShopUnknown
from kuaitui.facts.queries import find_shop
from kuaitui.interfaces.console import trail_words, words
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money

TEXT_LENGTH_MAX = 500
CURRENCY = "CNY"  # a queue's filter names no currency; amounts in others are not compared


class DayField(forms.DateField):
    """A day, written in the one form that a browser's own date field understands in any language."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    input_formats = ("%Y-%m-%d",)
    default_error_messages = {"invalid": _("Enter the day as 2026-11-24.")}


class DecisionForm(forms.Form):
    """A decision binds to the case as the person saw it: another version, and it is refused."""

    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)


class ApproveForm(DecisionForm):
    """Approve exactly what the page shows."""

    approval_hash = forms.CharField(max_length=128, widget=forms.HiddenInput)
    note = forms.CharField(
        required=False,
        max_length=TEXT_LENGTH_MAX,
        label=_("Note for colleagues"),
        help_text=_("Optional. The seller does not see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ConfirmForm(DecisionForm):
    """Give the second approval to exactly what the page shows."""

    approval_hash = forms.CharField(max_length=128, widget=forms.HiddenInput)
    amount_retyped = forms.CharField(
        max_length=40,
        label=_("Type the amount again"),
        help_text=_("As it stands above. This makes sure that it was read."),
        widget=forms.TextInput(
            attrs={"class": "input-amount", "inputmode": "decimal", "autocomplete": "off"}
        ),
    )


class QuestionForm(DecisionForm):
    """Ask the seller for more."""

    text = forms.CharField(
        max_length=TEXT_LENGTH_MAX,
        label=_("What do you need to know?"),
        help_text=_("The seller reads these words. Name the paper or the fact, and why."),
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Write what you need to know.")},
    )


class ReasonForm(DecisionForm):
    """Say why, in words."""

    text = forms.CharField(
        max_length=TEXT_LENGTH_MAX,
        label=_("Why?"),
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Say why, in a few words.")},
    )


class RejectForm(DecisionForm):
    """Reject, with reasons a seller understands."""

    reasons = forms.MultipleChoiceField(
        choices=[(reason.value, word) for reason, word in words.REJECT_REASONS.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one reason.")},
    )
    text = forms.CharField(
        max_length=TEXT_LENGTH_MAX,
        label=_("In your words"),
        help_text=_(
            "The seller reads these words. Say what is missing and what would change the answer."
        ),
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Say why, in a few words.")},
    )
    field_order = ("version", "reasons", "text")


class AppealForm(ReasonForm):
    """Decide an appeal."""

    granted = forms.ChoiceField(
        choices=[("yes", _("Grant it: review again")), ("no", _("Dismiss it: rejected it stays"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    field_order = ("version", "granted", "text")


class VerifyForm(DecisionForm):
    """Say that this account belongs to the shop's owner."""

    destination_id = forms.CharField(max_length=40, widget=forms.HiddenInput)


class SwitchForm(forms.Form):
    """Stop sending, or propose to release it."""

    channel = forms.CharField(max_length=40, widget=forms.HiddenInput)
    step = forms.CharField(required=False, max_length=10, widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=200,
        label=_("Why?"),
        help_text=_("Colleagues and the audit trail see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why, in a few words.")},
    )


class ConfirmSwitchForm(forms.Form):
    """Release sending, as somebody else proposed."""

    channel = forms.CharField(max_length=40, widget=forms.HiddenInput)
    step = forms.CharField(max_length=10, widget=forms.HiddenInput)


class FindingForm(forms.Form):
    """Say what was found, before something goes on."""

    reason = forms.CharField(
        max_length=200,
        label=_("What was found?"),
        help_text=_("Colleagues and the audit trail see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say what was found, in a few words.")},
    )


class HoldForm(forms.Form):
    """Say why nothing may be sent."""

    reason = forms.CharField(
        max_length=200,
        label=_("Why?"),
        help_text=_("Colleagues and the audit trail see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why, in a few words.")},
    )


class LimitForm(forms.Form):
    """Propose how much may go out."""

    scope = forms.ChoiceField(
        label=_("Limit"), choices=[(s.value, word) for s, word in words.LIMIT_SCOPES.items()]
    )
    channel = forms.ChoiceField(
        label=_("Channel"), help_text=_("Counts where each channel has its own limit.")
    )
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, initial=CURRENCY)
    amount = forms.CharField(
        required=False,
        max_length=40,
        label=_("Amount"),
        help_text=_("Leave it empty to lift the limit."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class BalanceForm(forms.Form):
    """Say what lies at a channel now."""

    channel = forms.ChoiceField(label=_("Channel"))
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, initial=CURRENCY)
    balance = forms.CharField(
        max_length=40,
        label=_("Balance"),
        help_text=_("As the channel's own pages show it now."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class ShopFilterForm(forms.Form):
    """Narrow a list to one shop, among other things."""

    shop = forms.CharField(required=False, max_length=64, label=_("Shop id"))

    def clean_shop(self) -> int | None:
        """The key of the shop with this id."""
        typed = self.cleaned_data["shop"].strip()
        if not typed:
            return None
        try:
            return find_shop(shop_id=typed).key
        except ShopUnknown as refusal:
            raise forms.ValidationError(gettext(refusal.message))


class TrailForm(ShopFilterForm):
    """Narrow the audit trail. Everything is optional and lives in the address."""

    about = forms.CharField(required=False, max_length=120, label=_("Id of what it was about"))
    who = forms.CharField(required=False, max_length=120, label=_("Id of who did it"))
    area = forms.ChoiceField(
        required=False,
        label=_("Acts of"),
        choices=[("", _("Any")), *trail_words.AREAS.items()],
    )
    from_day = DayField(required=False, label=_("From"))
    until_day = DayField(required=False, label=_("Until"))


class QueueForm(ShopFilterForm):
    """Narrow the queue. Everything is optional and lives in the address."""

    amount_from = forms.CharField(
        required=False,
        max_length=40,
        label=_("Amount from"),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    age = forms.ChoiceField(
        required=False,
        label=_("Age"),
        choices=[
            ("", _("Any")),
            ("late", _("Late")),
            ("1", _("Older than 1 day")),
            ("3", _("Older than 3 days")),
            ("7", _("Older than 7 days")),
        ],
    )
    risk = forms.ChoiceField(
        required=False,
        label=_("Look closer"),
        choices=[("", _("Any")), *((risk.value, word) for risk, word in words.RISKS.items())],
    )

    def clean_amount_from(self) -> Money | None:
        """An amount as a person writes one; the same refusals as everywhere."""
        typed = self.cleaned_data["amount_from"]
        if not typed:
            return None
        try:
            return Money.parse(typed, CURRENCY)
        except Refusal as refusal:
            raise forms.ValidationError(gettext(refusal.message))


class ProposeSuspenseForm(DecisionForm):
    """What should become of a payment without a place."""

    resolution = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Resolution],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    account_id = forms.CharField(
        required=False,
        max_length=40,
        label=_("Deposit"),
        help_text=_("Its id, dep_…; only for putting it into a deposit."),
        widget=forms.TextInput(attrs={"class": "input-code", "autocomplete": "off"}),
    )
    refund_reference = forms.CharField(
        required=False,
        max_length=80,
        label=_("Channel’s number of the refund"),
        help_text=_("As the bill names it; only for what has gone back by hand."),
        widget=forms.TextInput(attrs={"class": "input-code", "autocomplete": "off"}),
    )
    reason = forms.CharField(
        max_length=TEXT_LENGTH_MAX,
        label=_("Why?"),
        help_text=_("What you found out, and how. The second person and the audit trail see it."),
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say why, in a few words.")},
    )


class DecideSuspenseForm(DecisionForm):
    """Agree with what was proposed, or do not."""

    decision = forms.ChoiceField(
        choices=[("confirm", "confirm"), ("refuse", "refuse")],
        error_messages={"required": _("Choose one.")},
    )
