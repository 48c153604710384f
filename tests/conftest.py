"""What every test run needs before it begins."""

from __future__ import annotations

from kuaitui.config.messages import compile_catalogues

compile_catalogues()
