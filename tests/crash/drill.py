"""The long fire drill: thousands of kills, with seeds that repeat them, and controls that must fail.

`make drill ARGS="--kills 200 --on bot"`, or `python -m tests.crash.drill`, prints one line a round as it goes, then the
sums, and ends with 1 if a promise was broken or a control went unnoticed.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.crash.channels import Kind
from tests.crash.count import MOST_COPIES_BY_A_BOT

ROUND: Final = 200
KILLS: Final = 1_000
LINE: Final = 400  # letters of what is shown of a round
COLD: Final = 20
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

    def add(self, arguments: list[str]) -> None:
        """Runs the harness, and adds what it counted."""
        code, counts = _run(["--on", self.on, *arguments])
        self.rounds += 1
        self.broken += code != 0
        for each in counts:
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


def main() -> int:
    """Runs rounds of random kills, every durability point, cold starts, and the controls."""
    wanted = parsed()
    sums = [_drilled(on, kills=wanted.kills, seed=wanted.seed) for on in wanted.on]
    unnoticed = [name for name, is_noticed in _controls(wanted.on, seed=wanted.seed) if not is_noticed]
    for each in sums:
        _say(f"{each}: {'all promises kept' if each.holds else 'BROKEN'}")
    _say(f"controls that went unnoticed: {', '.join(unnoticed) or 'none'}")
    return 0 if all(each.holds for each in sums) and not unnoticed else 1


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make drill ARGS=…", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help=f"random kills a channel, {KILLS} if left out")
    parser.add_argument("--on", action="append", choices=CHANNELS, help="may be repeated; each if left out")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next ones count up from it")
    wanted = parser.parse_args()
    wanted.on = wanted.on or list(CHANNELS)
    return wanted


def _drilled(on: str, *, kills: int, seed: int) -> Sums:
    sums = Sums(on)
    for number, done in enumerate(range(0, kills, ROUND)):
        sums.add(["--kills", str(min(ROUND, kills - done)), "--seed", str(seed + number)])
    if "," not in on:
        sums.add(["--point", "all", "--seed", str(seed)])
    sums.add(["--cold", str(COLD), "--seed", str(seed)])
    return sums


def _controls(on: list[str], *, seed: int) -> Iterator[tuple[str, bool]]:
    """Each wrong way of doing it, and whether that was noticed on every channel."""
    for channels in on:
        _, (count,) = _run(["--on", channels, "--kills", str(ROUND), "--seed", str(seed), "--mark-first"])
        yield f"marked first on {channels}", all(_lost(count, kind) for kind in channels.split(","))
        if Kind.BOT in channels.split(","):
            _, (count,) = _run(["--on", channels, "--kills", str(ROUND), "--seed", str(seed), "--no-find"])
            yield f"never looked for on {channels}", count["copies"][Kind.BOT] > MOST_COPIES_BY_A_BOT


def _lost(count: dict[str, Any], kind: str) -> bool:
    return any(each.startswith(f"{kind}: delivery") and "never arrived" in each for each in count["wrong"])


def _run(arguments: list[str]) -> tuple[int, list[dict[str, Any]]]:
    """Runs the harness: its exit code, and its counts."""
    command = [sys.executable, "-m", "tests.crash.harness", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = [json.loads(line) for line in done.stdout.splitlines()]
    for each in counts:
        shown = {name: value for name, value in each.items() if name not in {"broken", "kinds"}}
        _say(f"{' '.join(arguments)} {shown}"[:LINE])
    if done.stderr:
        _say(f"{' '.join(arguments)} {done.stderr[-2000:]}")
    return done.returncode, counts


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command


if __name__ == "__main__":
    sys.exit(main())
