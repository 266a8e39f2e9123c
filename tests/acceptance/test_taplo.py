"""taplo, which editors of TOML are made of, reads the schema: it takes the example and refuses what is wrong."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.home import Home

TAPLO: Final = "@taplo/cli@0.7.0"
INSTALL_S: Final = 120.0
BAD: Final = Path(__file__).parents[1] / "config" / "bad"


@pytest.fixture(scope="module")
def taplo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command; skips where Node is not there, or the registry cannot be reached."""
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        pytest.skip("node and npm are not installed here")
    path = tmp_path_factory.mktemp("taplo")
    (path / "package.json").write_text("{}")
    argv = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", TAPLO]
    try:
        done = subprocess.run(argv, cwd=path, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm could not install {TAPLO} within {INSTALL_S:g} s")
    if done.returncode != 0:
        pytest.skip(f"npm could not install {TAPLO}: {done.stderr}")
    return path / "node_modules" / ".bin" / "taplo"


def lint(taplo: Path, file: Path) -> subprocess.CompletedProcess[str]:
    """Looks at a file by the schema that its first line names."""
    return subprocess.run(
        [taplo, "lint", file.name], cwd=file.parent, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def written(home: Home) -> Path:
    """The rule file that `guard init` wrote, with its schema beside it."""
    path = home.path / "init" / "rules.toml"
    path.parent.mkdir()
    assert home.call("init", "--rules", str(path)).returncode == 0
    return path


def test_taplo_takes_what_guard_init_writes(taplo: Path, written: Path) -> None:
    done = lint(taplo, written)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("unknown-key-in-a-rule", "Additional properties are not allowed"),
        ("literal-api-key", "does not match"),
        ("level-is-a-number", 'is not of type "string"'),
        ("every-is-no-duration", "does not match"),
        ("value-missing", '"value" is a required property'),
        ("mail-without-a-host", "is not valid under any"),
        ("no-channel", '"channels" is a required property'),
        ("negative-budget", "less than the minimum"),
    ],
)
def test_taplo_refuses_what_is_wrong(taplo: Path, written: Path, name: str, says: str) -> None:
    (file,) = (each for each in BAD.iterdir() if each.stem == name)
    first = written.read_text(encoding="utf-8").partition("\n")[0]
    written.write_text(f"{first}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    done = lint(taplo, written)
    assert done.returncode != 0
    assert says in done.stderr
