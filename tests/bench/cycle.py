"""A cycle of ten rules over sub-accounts: asked over HTTP, decided, and committed to a disk."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from guard.clock import Clock
from guard.cycle import Cycles
from guard.family import Family
from guard.model import Answer
from guard.parts import open_parts
from tests.bench import yardsticks
from tests.bench.api import Api
from tests.bench.figure import Figure, Yardstick
from tests.bench.setting import TEN_RULES, config, database, fill, rule_file
from tests.bench.stages import STAGES, Spent, measured_stages
from tests.bench.yardsticks import middle, so_far

COUNTS: Final = (1, 100, 1_000)
_ASKED: Final = 3_000  # polls a measurement, shared out among its passes
_FEWEST_PASSES: Final = 5
_MOST_PASSES: Final = 100

_UNIT: Final = "ms CPU"
_AIM_MS: Final = 1.5
_AIM_OUTSIDE_MS: Final = 0.4


@dataclass(frozen=True, slots=True)
class Measured:
    """What one account and cycle took."""

    whole: Spent
    fetch: Spent  # the asking alone
    stages: Mapping[str, Spent]  # of passes of their own, which the measuring slows down


@dataclass(frozen=True, slots=True)
class _Bare:
    """What the same takes by hand."""

    exchange: Spent
    json: Spent
    insert: Spent


def measure() -> Iterator[Figure]:
    """The figures of all counts."""
    for count in COUNTS:
        yield from asyncio.run(_of(count))


async def _of(count: int) -> list[Figure]:
    with TemporaryDirectory() as name, Api(count) as api:
        path = Path(name)
        await fill(path, sub_accounts=count)
        async with watched(api, path) as family:
            measured = await measured_on(family, passes=min(_MOST_PASSES, max(_FEWEST_PASSES, _ASKED // count)))
        bare = _Bare(await yardsticks.exchange(api.port), yardsticks.read_json(), yardsticks.insert(path))
    return list(_figures(measured, bare, count=count))


@asynccontextmanager
async def watched(api: Api, path: Path) -> AsyncIterator[Family]:
    """The family of all sub-accounts of an API, on the database in `path`; all that it remembers has been read."""
    rules = rule_file(api=api.url, account='sub_accounts = "all"', rules=TEN_RULES)
    clock = Clock()
    parts = open_parts(config(rules), database=str(database(path)), read_secret=lambda _: None, clock=clock)
    async with parts as opened:
        [family] = opened.families
        await family.remember()
        await family.update()
        for cycles in family.subs:
            await cycles.remember()
        yield family


async def measured_on(family: Family, *, passes: int) -> Measured:
    """Runs so many passes over all sub-accounts as they are, as many that ask only, and as many by stage."""
    whole, fetch = [], []
    for _ in range(passes):  # in turn, so that both meet the same noise
        whole.append(await _pass(family, _cycle))
        fetch.append(await _pass(family, _fetch))
    with measured_stages() as spent:
        for _ in range(passes):
            await _pass(family, _cycle)
    asked = passes * len(family.subs)
    return Measured(middle(whole), middle(fetch), {stage: spent[stage] / asked for stage in STAGES})


async def _pass(family: Family, run: Callable[[Cycles], Awaitable[None]]) -> Spent:
    """What one pass takes an account, all threads of this process together."""
    before = so_far()
    await family.ask(deque(family.subs), run)
    return (so_far() - before) / len(family.subs)


async def _cycle(cycles: Cycles) -> None:
    decision = await cycles.run(ask=True, jitter=0.5)
    assert decision.account.failure is None, decision.account.failure
    assert not decision.alerts, decision.alerts  # all rules are known, and nothing is alarming


async def _fetch(cycles: Cycles) -> None:
    outcome = await cycles.client.usage(now=cycles.clock.now(), sub_id=cycles.config.sub_id)
    assert isinstance(outcome, Answer), outcome


def _figures(measured: Measured, bare: _Bare, *, count: int) -> Iterator[Figure]:
    accounts = "1 account" if count == 1 else f"{count:,} accounts"
    outside = measured.whole - measured.fetch
    by_hand = _by_hand("exchange, json, insert", bare.exchange + bare.json + bare.insert)
    yield _figure(f"a cycle of {accounts}", measured.whole, by_hand, at_most=_AIM_MS)
    by_hand = _by_hand("json, insert", bare.json + bare.insert)
    yield _figure("  outside the fetch", outside, by_hand, at_most=_AIM_OUTSIDE_MS)
    yield _figure("  fetch", measured.fetch, _by_hand("exchange", bare.exchange))
    for stage, spent in measured.stages.items():
        by_hand = _by_hand("insert", bare.insert) if stage == "commit" else _by_hand("json", bare.json)
        yield _figure(f"  {stage}", spent, by_hand)
    loop = outside - sum(measured.stages.values(), Spent())  # of the CPU only: commits are waited for side by side
    yield Figure("  loop", loop.cpu_s * 1000, _UNIT, _by_hand("json", bare.json))


def _figure(what: str, spent: Spent, yardstick: Yardstick, *, at_most: float | None = None) -> Figure:
    wall = f"{spent.wall_s * 1000:.3f} wall"
    return Figure(what, spent.cpu_s * 1000, _UNIT, yardstick, beside=wall, at_most=at_most)


def _by_hand(what: str, spent: Spent) -> Yardstick:
    return Yardstick(what, spent.cpu_s * 1000)
