"""Which channels this installation has: from a file, or the simulated one where there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

VARIABLE = "KUAITUI_CHANNELS_FILE"
FILE_BYTES_MAX = 256 * 1024
# A simulated channel knows at once what it took in; on a quick pace nobody waits for minutes.
FLOOR_S = {"standard": 600.0, "brisk": 5.0}
# A payment that takes longer than this is a slip of the pen, and sellers would be shown its day.
ARRIVAL_DAYS_MAX = 30


def channel_settings(
    environ: Mapping[str, str], *, var: Path, pace: str
) -> dict[str, dict[str, Any]]:
    """An entry for every channel, by the name it has in rows and pages.

    The file is JSON, `{"NAME": {"adapter": …, "base_url": …, …}}`, as `kuaitui simulate-channel NAME
    --print-settings` prints it. It names key files and holds no keys.

    Raises:
        ImproperlyConfigured: the file cannot be read; says which and why.
    """
    if file := environ.get(VARIABLE):
        return _read(Path(file))
    floor = environ.get("KUAITUI_SIMULATOR_NOT_FOUND_FLOOR_S") or FLOOR_S.get(pace, 600.0)
    return {
        "simulator": {
            "base_url": environ.get("KUAITUI_SIMULATOR_URL", "http://127.0.0.1:8790"),
            "key_file": var / "simulator_key",
            "not_found_floor_s": float(floor),
        }
    }


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise ImproperlyConfigured(f"{VARIABLE}: {file} is larger than {FILE_BYTES_MAX} bytes.")
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ImproperlyConfigured(f"{VARIABLE}: {file} cannot be read: {problem}") from problem
    if not isinstance(document, dict) or not document:
        raise ImproperlyConfigured(f'{VARIABLE}: {file} must hold {{"NAME": {{…}}}}.')
    for name, entry in document.items():
        if not isinstance(entry, dict):
            raise ImproperlyConfigured(f"{VARIABLE}: {file}: the entry of {name} is no object.")
        if not _are_arrival_days(entry.get("arrival_days")):
            raise ImproperlyConfigured(
                f"{VARIABLE}: {file}: arrival_days of {name} must be two whole numbers in order, at"
                f" least and at most, from 0 to {ARRIVAL_DAYS_MAX}, as in [0, 1]; or leave it out."
            )
    return document


def _are_arrival_days(value: object) -> bool:
    """Whether these are days that sellers may be promised; none at all are promised by None."""
    if value is None:
        return True
    if not isinstance(value, list) or len(value) != 2:
        return False
    # A bool is an int, and no number of days.
    return all(type(day) is int for day in value) and 0 <= value[0] <= value[1] <= ARRIVAL_DAYS_MAX
