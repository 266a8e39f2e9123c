"""The long fire drill: thousands of kills, with seeds that repeat them, and controls that must fail.

`make drill KILLS=200 ARGS="--on bot"`, or `python -m tests.crash.drill`, prints one line a round as it goes, then the
sums, and ends with 1 if a promise was broken or a control went unnoticed. A drill of every channel writes
docs/evidence/kills.md, and one with `--fires` docs/evidence/fires.md too.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from guard.clock import Clock
from tests.crash import evidence, fires
from tests.crash.channels import Kind
from tests.crash.child import Act
from tests.crash.count import MOST_COPIES_BY_A_BOT
from tests.crash.power import can_be_cut

ROUND: Final = 200
KILLS: Final = 1_000
JOBS: Final = 2 * (os.cpu_count() or 1)  # a round mostly waits
LINE: Final = 400  # letters of what is shown of a round
COLD: Final = 20
CUTS: Final = 50  # of the power
CHANNELS: Final = ("webhook", "bot", "mail", "bot,mail")


@dataclass
class Sums:
    """What the rounds on the same channels saw together."""

    on: str
    rounds: int = 0
    broken: int = 0
    kills: int = 0
    incidents: int = 0
    doubts: int = 0
    wrong: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    copies: Counter[str] = field(default_factory=Counter)
    points: int = 0  # durability points at each of which it was killed, met a defect, or hung
    took_s: float = 0  # all rounds together, as if one had come after the other

    def add(self, done: "Round") -> None:
        """Adds what a round has counted."""
        self.rounds += 1
        self.broken += done.code != 0
        self.points += len(done.counts) if "--point" in done.arguments else 0
        self.took_s += done.took_s
        for each in done.counts:
            self.kills += each["kills"]
            self.incidents += each["incidents"]
            self.doubts += each["doubts"]
            self.wrong += len(each["wrong"])
            self.accepted.update(each["accepted"])
            self.copies.update(each["copies"])

    @property
    def holds(self) -> bool:
        """Whether every round kept its promises, and a bot that of one copy in a thousand kills."""
        most = MOST_COPIES_BY_A_BOT * max(1, self.kills // KILLS)
        return not self.broken and self.copies[Kind.BOT] <= most


@dataclass(frozen=True)
class Round:
    """One run of the harness: how it ended, and what it counted."""

    arguments: list[str]
    code: int
    counts: list[dict[str, Any]]
    took_s: float


def main() -> int:
    """Runs rounds of random kills, every durability point, cold starts, and the controls."""
    wanted = parsed()
    with ThreadPoolExecutor(wanted.jobs) as pool:
        sums = _drilled(wanted.on, pool, kills=wanted.kills, seed=wanted.seed)
        unnoticed = [name for name, is_noticed in _controls(wanted.on, pool, seed=wanted.seed) if not is_noticed]
    for each in sums:
        _say(f"{each}: {'all promises kept' if each.holds else 'BROKEN'}")
    _say(f"controls that went unnoticed: {', '.join(unnoticed) or 'none'}")
    if wanted.on == list(CHANNELS):
        evidence.write("kills.md", _page(sums, unnoticed, seed=wanted.seed))
    is_good = all(each.holds for each in sums) and not unnoticed
    return 0 if (fires.drilled() if wanted.fires else True) and is_good else 1


def _page(sums: list[Sums], unnoticed: list[str], *, seed: int) -> str:
    head = ("channels", "kills", "points", "incidents", "messages", "in doubt", "lost or wrong", "copies", "minutes")
    rows = [
        (
            each.on.replace(",", " and "),
            f"{each.kills:,}",
            each.points,
            f"{each.incidents:,}",
            f"{each.accepted.total():,}",
            f"{each.doubts:,}",
            each.wrong,
            ", ".join(f"{count} by {kind}" for kind, count in each.copies.items()),
            f"{each.took_s / 60:.1f}",
        )
        for each in sums
    ]
    about = (
        "The real service, killed with `kill -9` at random moments, and at each durability point killed, given a "
        "defect, or hung, and with its power cut, while receivers refuse, delay and fall silent. "
        f"The first seed was {seed}; the next ones count up."
    )
    end = (
        "*Points* counts runs, one at each point and in each of the three ways. *In doubt* are attempts of which the "
        "service could not know whether they had arrived; *copies* are what came of that. *Minutes* are those of all "
        "rounds together; some ran side by side.\n\n"
        f"Careless ways that went unnoticed: {', '.join(unnoticed) or 'none'}."
    )
    return evidence.page("Kills", about, head, rows, end=end)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make drill ARGS=…", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help=f"random kills a channel, {KILLS} if left out")
    parser.add_argument("--on", action="append", choices=CHANNELS, help="may be repeated; each if left out")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next ones count up from it")
    parser.add_argument("--fires", action="store_true", help="the drills of tests/acceptance too")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"rounds side by side, {JOBS} if left out")
    wanted = parser.parse_args()
    wanted.on = wanted.on or list(CHANNELS)
    return wanted


def _drilled(channels: list[str], pool: Executor, *, kills: int, seed: int) -> list[Sums]:
    sums = {on: Sums(on) for on in channels}
    wanted = [(on, ["--on", on, *each]) for on in channels for each in _rounds(on, kills=kills, seed=seed)]
    for (on, _), done in zip(wanted, pool.map(_run, (each for _, each in wanted)), strict=True):
        sums[on].add(done)
    return list(sums.values())


def _rounds(on: str, *, kills: int, seed: int) -> Iterator[list[str]]:
    for number, done in enumerate(range(0, kills, ROUND)):
        yield ["--kills", str(min(ROUND, kills - done)), "--seed", str(seed + number)]
    if can_be_cut():
        yield ["--power", str(CUTS), "--seed", str(seed)]
    if "," not in on:
        yield from (["--point", "all", "--act", act, "--seed", str(seed)] for act in Act)
    yield ["--cold", str(COLD), "--seed", str(seed)]


def _controls(on: list[str], pool: Executor, *, seed: int) -> Iterator[tuple[str, bool]]:
    """Each wrong way of doing it, and whether that was noticed on every channel."""
    checks = [each for channels in on for each in _careless(channels, seed=seed)]
    found = pool.map(_run, (arguments for _, arguments, _ in checks))
    for (name, _, is_noticed), done in zip(checks, found, strict=True):
        [count] = done.counts
        yield name, is_noticed(count)


def _careless(on: str, *, seed: int) -> Iterator[tuple[str, list[str], Callable[[dict[str, Any]], bool]]]:
    """By name what the harness is to do, and whether its count shows that it noticed."""
    kinds, begun = on.split(","), ["--on", on, "--seed", str(seed)]
    yield (
        f"marked first on {on}",
        [*begun, "--kills", str(ROUND), "--mark-first"],
        lambda count: all(_lost(count, kind) for kind in kinds),
    )
    if can_be_cut():
        yield (
            f"synced at checkpoints alone on {on}",
            [*begun, "--power", str(COLD), "--normal"],
            lambda count: any("acknowledged" in each for each in count["wrong"]),
        )
    if Kind.BOT in kinds:
        yield (
            f"never looked for on {on}",
            [*begun, "--kills", str(ROUND), "--no-find"],
            lambda count: count["copies"][Kind.BOT] > MOST_COPIES_BY_A_BOT,
        )


def _lost(count: dict[str, Any], kind: str) -> bool:
    return any(each.startswith(f"{kind}: delivery") and "never arrived" in each for each in count["wrong"])


def _run(arguments: list[str]) -> Round:
    """Runs the harness."""
    began_s = Clock().monotonic_s()
    command = [sys.executable, "-m", "tests.crash.harness", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = [json.loads(line) for line in done.stdout.splitlines()]
    for each in counts:
        shown = {name: value for name, value in each.items() if name not in {"broken", "kinds"}}
        _say(f"{' '.join(arguments)} {shown}"[:LINE])
    if done.stderr:
        _say(f"{' '.join(arguments)} {done.stderr[-2000:]}")
    return Round(arguments, done.returncode, counts, Clock().monotonic_s() - began_s)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command


if __name__ == "__main__":
    sys.exit(main())
