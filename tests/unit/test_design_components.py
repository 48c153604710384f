"""Every component can be drawn, escapes what it is given, and carries no inline style or script."""

from __future__ import annotations

import re

import pytest
from django import forms
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation

from kuaitui.kernel.money import Money


class GalleryForm(forms.Form):
    amount = forms.CharField(label="退还金额", widget=forms.TextInput({"class": "input-amount"}))
    reason = forms.ChoiceField(choices=[("closing", ""), ("excess", "")])
    words = forms.CharField(label="补充说明", widget=forms.Textarea(), required=False)


def draw_gallery(**changes: object) -> str:
    request = RequestFactory().get("/")
    figures = {
        "available": Money(298_800, "CNY"),
        "paid": Money(300_000, "CNY"),
        "frozen": Money(0, "CNY"),
        "deducted": Money(1_200, "CNY"),
        "form": GalleryForm({"amount": "", "reason": "excess", "words": "<b>hi</b>"}),
        "places": True,
    }
    return render_to_string("design/gallery.html", {**figures, **changes}, request)


def test_the_gallery_draws_every_component() -> None:
    page = draw_gallery()

    assert "¥</span>2,988.00" in page
    assert "<c-" not in page
    assert 'aria-invalid="true"' in page


def test_no_component_carries_inline_style_or_script() -> None:
    page = draw_gallery()

    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", page)
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []


def test_what_a_person_typed_is_escaped() -> None:
    assert "<b>hi</b>" not in draw_gallery()
    assert "&lt;b&gt;hi" in draw_gallery()


@pytest.mark.parametrize(("language", "lang"), [("zh-hans", "zh-Hans"), ("en", "en")])
def test_the_page_names_its_language(language: str, lang: str) -> None:
    with translation.override(language):
        assert f'<html lang="{lang}">' in draw_gallery()
