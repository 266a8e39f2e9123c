"""The fires of the whole program, by its black-box tests, and a page of what became of them."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from tests.crash import evidence

FILES: Final = (
    "proxy",
    "storage",
    "clock",
    "drills",
    "outages",
    "restarts",
    "secrets",
    "heartbeat",
    "slack_faults",
    "kills",
)
ABOUT: Final = (
    "The installed command against servers, a proxy, a disk and a clock that do their worst. A test's name is its "
    "promise; [faults.md](../faults.md) lists them all."
)


def drilled() -> bool:
    """Runs them, and writes docs/evidence/fires.md; whether none failed."""
    paths = [f"tests/acceptance/test_{name}.py" for name in FILES]
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        options = ["-m", "acceptance", "-n", "2", "-q", f"--junit-xml={report}"]
        code = subprocess.run([sys.executable, "-m", "pytest", *options, *paths], cwd=evidence.ROOT, check=False)
        rows = [_row(each) for each in ET.parse(report).iter("testcase")]  # noqa: S314 - our own report
    bad = sum(row[1] == "**broken**" for row in rows)
    end = f"{len(rows)} drills, {bad} broken."
    evidence.write("fires.md", evidence.page("Fires", ABOUT, ("promise", "seen", "seconds"), sorted(rows), end=end))
    return code.returncode == 0


def _row(case: ET.Element) -> tuple[str, str, str]:
    seen = "kept"
    if case.find("failure") is not None or case.find("error") is not None:
        seen = "**broken**"
    elif case.find("skipped") is not None:
        seen = "not run"
    promise = case.get("name", "").removeprefix("test_").replace("_", " ").replace("|", "\\|")
    return promise, seen, f"{float(case.get('time', '0')):.0f}"
