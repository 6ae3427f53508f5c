"""What a user did that the program can't accept.

ConfigurationError          one or more problems, each a paragraph naming file, field and fix
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong in one place."""

    where: str
    """File, line and field, as in ``pipelines/production.yaml:12: sync.schedule.expression``."""
    what: str
    """What is wrong, in a sentence."""
    fix: str
    """What to do about it, in a sentence."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.fix}".rstrip()


class ConfigurationError(Exception):
    """The pipeline files, the pins or the stack's settings can't be used; nothing was changed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
