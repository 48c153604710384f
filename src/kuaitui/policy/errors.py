"""Why policy says no to a document: one class per reason."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.policy.problems import Problem


class FactsInvalid(Refusal):
    """The facts cannot be assessed as they are written."""

    code = "policy.facts_invalid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(problems=len(problems))


class PackInvalid(Refusal):
    """The policy pack cannot be used as it is written."""

    code = "policy.pack_invalid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(problems=len(problems))


class PackUnknown(Refusal):
    """There is no policy pack of that name, and no file either."""

    code = "policy.pack_unknown"
    kind = RefusalKind.NOT_FOUND


class BulkUnavailable(Refusal):
    """This pack has conditions of its own; they can only be assessed one shop at a time."""

    code = "policy.bulk_unavailable"
    kind = RefusalKind.UNAVAILABLE
