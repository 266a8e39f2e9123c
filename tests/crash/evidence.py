"""What a drill saw, as a page of docs/evidence: written by a run, never by hand."""

import platform
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from guard.clock import Clock

ROOT: Final = Path(__file__).parents[2]
PLACE: Final = ROOT / "docs" / "evidence"


def page(title: str, about: str, head: Sequence[str], rows: Iterable[Sequence[object]], *, end: str) -> str:
    """A page with one table; its first lines say of which code, when and on what."""
    table = [head, ["---"] * len(head), *rows]
    lines = (f"| {' | '.join(str(cell) for cell in row)} |" for row in table)
    return f"# {title}\n\n{about}\n\n{_origin()}\n\n" + "\n".join(lines) + f"\n\n{end}\n"


def write(name: str, text: str) -> None:
    """Puts a page into its place."""
    PLACE.mkdir(exist_ok=True)
    (PLACE / name).write_text(text, encoding="utf-8")


def _origin() -> str:
    day = Clock().now().date().isoformat()
    return (
        f"Written by `make drill` on {day}, of commit {_commit()}, "
        f"with Python {platform.python_version()} and SQLite {sqlite3.sqlite_version} on {platform.system()}."
    )


def _commit() -> str:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return "unknown"
    commit = _said(git, "rev-parse", "--short", "HEAD")
    code = ("guard", "tests", "pyproject.toml", "requirements-dev.lock")
    return f"{commit} with changes" if _said(git, "status", "--porcelain", "--", *code) else commit


def _said(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
