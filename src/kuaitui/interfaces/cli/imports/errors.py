"""Why an import cannot start or go on."""

from __future__ import annotations

from pathlib import Path

from kuaitui.kernel.errors import Refusal


class ImportRefused(Refusal):
    """The import cannot start."""

    code = "import.refused"

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem=problem)

    def __reduce__(self) -> tuple[type[ImportRefused], tuple[str]]:
        """Refusals travel from the reading process to the other."""
        return ImportRefused, (self.problem,)

    def __str__(self) -> str:
        return self.problem


class FileUnusable(ImportRefused):
    """A file cannot be read as the export it is said to be."""

    code = "import.file_unusable"

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
