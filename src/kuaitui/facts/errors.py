"""Refusals of the facts context."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal, RefusalKind


class ShopUnknown(Refusal):
    """No shop of this marketplace has this id."""

    code = "facts.shop_unknown"
    kind = RefusalKind.NOT_FOUND


class ShopIdUnusable(Refusal):
    """A shop's id has between 1 and 100 visible characters, without spaces or slashes."""

    code = "facts.shop_id_unusable"


class ZoneUnknown(Refusal):
    """This is no time zone of the IANA list, such as Asia/Shanghai."""

    code = "facts.zone_unknown"


class CurrencyDiffers(Refusal):
    """A report names another currency than its shop trades in."""

    code = "facts.currency_differs"
    kind = RefusalKind.CONFLICT


class ReportUnusable(Refusal):
    """A report cannot be true: an empty or over-long id, a negative amount, a time without offset."""

    code = "facts.report_unusable"


class TooManyReports(Refusal):
    """Too many reports at once; deliver them in smaller parts, or import them from a file."""

    code = "facts.too_many_reports"
    kind = RefusalKind.LIMIT


class IntakeUnderway(Refusal):
    """Another process is importing this file at this moment; wait until it is done."""

    code = "facts.intake_underway"
    kind = RefusalKind.CONFLICT
