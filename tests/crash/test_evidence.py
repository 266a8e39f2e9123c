"""The pages that a drill writes say of which code they are, and hold no place of the machine."""

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.crash import evidence
from tests.crash.drill import CHANNELS, Sums, _page
from tests.crash.fires import FILES, _row

ACCEPTANCE = Path(__file__).parents[1] / "acceptance"


def test_a_page_says_of_which_code_it_is_and_when(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(evidence, "PLACE", tmp_path)
    sums = [
        Sums(on, kills=1_000, points=21, accepted=Counter(webhook=700), copies=Counter(webhook=3)) for on in CHANNELS
    ]
    evidence.write("kills.md", _page(sums, [], seed=7))
    text = (tmp_path / "kills.md").read_text(encoding="utf-8")
    assert re.search(r"on \d{4}-\d\d-\d\d, of commit \w+( with changes)?, with Python 3", text)
    assert "The first seed was 7;" in text
    assert "| bot and mail | 1,000 | 21 | 0 | 700 | 0 | 0 | 3 by webhook |" in text
    assert str(evidence.ROOT) not in text


@pytest.mark.parametrize(
    ("inside", "seen"),
    [("", "kept"), ("<failure/>", "**broken**"), ("<error/>", "**broken**"), ("<skipped/>", "not run")],
)
def test_a_fire_is_a_row(inside: str, seen: str) -> None:
    case = ET.fromstring(f'<testcase name="test_it_goes_on[slow]" time="1.6">{inside}</testcase>')  # noqa: S314 - ours
    assert _row(case) == ("it goes on[slow]", seen, "2")


def test_every_file_of_fires_is_there() -> None:
    assert all((ACCEPTANCE / f"test_{name}.py").exists() for name in FILES)
