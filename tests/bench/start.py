"""From starting `guard run` to its first poll, and how long `guard --help` takes."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.api import Api
from tests.bench.figure import Figure, Yardstick
from tests.bench.process import GUARD, first_poll_s, python, wall_s
from tests.bench.setting import database, environ, rule_file

FOUR_LIBRARIES: Final = "import apscheduler.schedulers.asyncio, httpx, slack_sdk.web.async_client, sqlmodel"
"""The libraries that were given, as far as they are used."""

_TIMES: Final = 9
_AIM_TIMES: Final = 1.5
_AIM_HELP_S: Final = 0.2


def measure_start() -> Iterator[Figure]:
    """The figures of the first poll, with a database that is made and with one that is there."""
    with TemporaryDirectory() as name, Api() as api:
        path = Path(name)
        environment = environ(path, rule_file(api=api.url))
        first_poll_s(environment, api)  # compiles what no one has imported yet
        there, new, bare = [], [], []
        for _ in range(_TIMES):  # in turn, so that all meet the same noise
            bare.append(wall_s(*python(FOUR_LIBRARIES)))
            there.append(first_poll_s(environment, api))
            for each in path.glob(f"{database(path).name}*"):
                each.unlink()
            new.append(first_poll_s(environment, api))
    yardstick = Yardstick("import of the four libraries", median(bare))
    yield Figure("start to first poll", median(there), "s", yardstick, at_most_times=_AIM_TIMES)
    yield Figure("the same, new database", median(new), "s", yardstick, at_most_times=_AIM_TIMES)


def measure_help() -> Iterator[Figure]:
    """The figures of the help."""
    guard, bare, typer = [], [], []
    for _ in range(_TIMES):
        guard.append(wall_s(GUARD, "--help"))
        bare.append(wall_s(*python("pass")))
        typer.append(wall_s(*python("import typer, typer.rich_utils")))
    page = Yardstick("Typer's Rich help", median(typer))
    yield Figure("guard --help", median(guard), "s", page, at_most=_AIM_HELP_S)
    yield Figure("  beside nothing at all", median(guard), "s", Yardstick("an empty interpreter", median(bare)))
