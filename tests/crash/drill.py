"""The long fire drill: thousands of kills, with seeds that repeat them; `make drill` runs it.

`python -m tests.crash.drill [KILLS]` prints one line a round as it goes, and ends with 1 if a promise was broken.
"""

import json
import subprocess
import sys
from typing import Final

from tests.crash.child import POINTS

ROUND: Final = 200
KILLS: Final = 1_000


def main() -> int:
    """Runs rounds of random kills, each durability point with three seeds, and cold starts."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    rounds = [["--kills", str(ROUND), "--seed", str(seed)] for seed in range(1, -(-kills // ROUND) + 1)]
    rounds += [["--point", point, "--seed", str(seed)] for point in POINTS for seed in range(3)]
    rounds += [["--cold", "20", "--seed", "1"]]
    broken = [arguments for arguments in rounds if not _holds(arguments)]
    control = not _holds(["--kills", str(ROUND), "--seed", "1", "--mark-first"])
    print(f"{len(rounds)} rounds, {len(broken)} broken; the turned order was {'' if control else 'NOT '}noticed")  # noqa: T201 - a command
    return 0 if control and not broken else 1


def _holds(arguments: list[str]) -> bool:
    command = [sys.executable, "-m", "tests.crash.harness", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    shown = (
        ({k: v for k, v in json.loads(done.stdout).items() if k != "broken"}) if done.stdout else done.stderr[-2000:]
    )
    print(" ".join(arguments), str(shown)[:400], flush=True)  # noqa: T201 - a command
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
