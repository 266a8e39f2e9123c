"""How bad it is."""

from enum import IntEnum


class Level(IntEnum):
    """How bad it is; a higher level compares greater."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """The level as rule files and messages write it: `info`, `warning`, `critical`."""
        return self.name.lower()
