"""The rule file that a new user begins with."""

from importlib import resources
from pathlib import Path
from typing import Final

NAME: Final = "rules.example.toml"


def example_text() -> str:
    """The example rule file, as it is packaged; from the source tree where the project is installed editable."""
    packaged = resources.files("guard.cli") / NAME
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / NAME).read_text(encoding="utf-8")
