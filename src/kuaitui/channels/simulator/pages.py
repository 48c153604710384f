"""Small pages that stand for an institution's app, for whoever plays a payer or a payee."""

from __future__ import annotations

import html
from typing import Final

from kuaitui.channels.simulator.serving import Reply

PAGE: Final = """<!doctype html>
<html lang="zh-Hans"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 22rem; margin: 3rem auto; padding: 0 1rem }}
.amount {{ font-size: 2.4rem; font-variant-numeric: tabular-nums; margin: .5rem 0 }}
button {{ font: inherit; width: 100%; min-height: 44px; border: 0; border-radius: 8px;
  color: #fff; background: #087a3f }}
small {{ color: #555 }}
</style>
<h1>{title}</h1>
<p>{what}</p>
<p class="amount">¥{amount}</p>
<p role="status">{state}</p>
{form}
<p><small>模拟渠道 · Simulated channel: no money moves.</small></p>
</html>
"""
FORM: Final = '<form method="post"><button>{label}</button></form>'


def app_page(words: dict[str, str]) -> Reply:
    """A page of `title`, `what`, `amount` in yuan, `state`, and a button if it has a `label`."""
    escaped = {name: html.escape(word) for name, word in words.items()}
    label = escaped.pop("label")
    escaped["form"] = FORM.format(label=label) if label else ""
    content = PAGE.format(**escaped).encode()
    return Reply(200, content, content_type="text/html; charset=utf-8")


def text_page(status: int, message: str) -> Reply:
    """Nothing but words."""
    return Reply(status, message.encode(), content_type="text/plain; charset=utf-8")
