"""AgentPhone's own Node client reads every usage answer of the sandbox."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.acceptance.home import KEY, Home

CLIENT: Final = "agentphone@1.0.17"
SCRIPT: Final = Path(__file__).with_name("official_client.cjs")
INSTALL_S: Final = 120.0
SUB: Final = "birch"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the client; skips where Node is not there, or the registry cannot be reached."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed here")
    path = tmp_path_factory.mktemp("node")
    (path / "package.json").write_text("{}")
    argv = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", CLIENT]
    try:
        done = subprocess.run(argv, cwd=path, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm could not install {CLIENT} within {INSTALL_S:g} s")
    if done.returncode != 0:
        why = next((line for line in done.stderr.splitlines() if line.startswith("npm error")), done.stderr)
        pytest.skip(f"npm could not install {CLIENT}: {why}")
    shutil.copy(SCRIPT, path)
    return path


@pytest.fixture
def address(home: Home) -> Iterator[str]:
    """Where the agency is played."""
    with home.run("sandbox", "--listen", "127.0.0.1:0", "--key", KEY, "--scenario", "agency") as sandbox:
        yield sandbox.out.until("is on http://").split()[5]


@pytest.fixture(params=["", SUB], ids=["master", "sub-account"])
def read(installed: Path, address: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the client made of every answer, for the master account or a sub-account."""
    done = subprocess.run(
        ["node", SCRIPT.name, address, KEY, request.param],  # noqa: S607 - the one that npm came with
        cwd=installed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return {"sub": request.param, **found}


def test_the_node_client_reads_every_usage_answer(read: dict[str, Any]) -> None:
    usage, days, months = read["usage"], read["daily"]["data"], read["monthly"]["data"]
    stats = usage["stats"]
    assert stats["messagesLast24h"] == (540 if read["sub"] else 620)
    assert (len(days), len(months)) == (40, 6)
    for noun in ("messages", "calls"):
        assert sum(row[noun] for row in days[-30:]) == stats[f"{noun}Last30d"]
        assert sum(row[noun] for row in read["numbers"]["data"]) == stats[f"total{noun.capitalize()}"]
        assert sum(row[noun] for row in read["agents"]["data"]) == months[-1][noun]
    deliveries = read["deliveries"]
    assert deliveries["success"] + deliveries["failed"] + deliveries["pending"] == deliveries["total"] > 0
    listed = [row["id"] for row in read["subAccounts"]["data"]]
    assert listed == ([] if read["sub"] else ["birch", "cedar", "dune"])


def test_the_node_client_understands_refusals(read: dict[str, Any]) -> None:
    assert (read["tooManyDays"]["status"], read["wrongKey"]["status"]) == (422, 401)
    assert read["tooManyDays"]["body"]["detail"][0]["loc"] == ["query", "days"]
    assert read["wrongKey"]["body"]["error"]["code"] == "UNAUTHORIZED"
