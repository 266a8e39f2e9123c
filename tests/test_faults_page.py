"""Every promise of docs/faults.md names a test that exists."""

import re
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parent
PAGE: Final = TESTS.parent / "docs" / "faults.md"
ROWS: Final = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]


def test_every_row_names_a_test_that_exists() -> None:
    known = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"^ *(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    rows = [row for row in ROWS if not row.startswith(("| ---", "| what goes wrong", "| the careless way"))]
    assert len(rows) > 50
    named = {row: re.findall(r"`(test_\w+)` \|$", row) for row in rows}
    assert [row for row, names in named.items() if not names or names[0] not in known] == []
