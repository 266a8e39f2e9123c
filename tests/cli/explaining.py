"""What the tests of `guard explain` share: situations of real cycles and a real outbox, and the command there."""

import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from guard.clock import Clock
from guard.model import Answer as Usage
from guard.payload import snapshot
from guard.store import Poll
from tests.outbox.desk import Desk, desk
from tests.stand_ins.slack import Answer, Drop
from tests.wiring import API_KEY, NOWHERE, NUMBERS, rule_file

Explain = Callable[..., str]
Sit = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def explain(guard: Callable[..., Any]) -> Explain:
    """What the command says for people."""

    def run(alert: str = "main/numbers-remaining") -> str:
        done = guard("explain", alert)
        assert (done.code, done.err) == (0, "")
        return str(done.out)

    return run


@pytest.fixture
def at_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sit:
    """A desk with a rule file beside it where the command looks, and the command at the desk's time."""

    @asynccontextmanager
    async def sit(*script: Answer | Drop, rules: str = NUMBERS, names: Sequence[str] = ("ops",)) -> AsyncIterator[Desk]:
        async with desk(tmp_path, *script, rules=rules, names=names) as it:
            (tmp_path / "rules.toml").write_text(rule_file(api=NOWHERE, names=names, rules=rules))
            monkeypatch.setenv("API_KEY", API_KEY)
            for number in range(len(names)):
                monkeypatch.setenv(f"URL_{number}", it.slack.url)
            monkeypatch.setattr(Clock, "now", lambda _: it.clock.now())
            yield it

    return sit


async def answers(it: Desk, **usage: dict[str, object]) -> None:
    """One cycle with this answer, which is kept as well."""
    answer = Usage(usage, json.dumps(usage))
    now = it.clock.now()
    await it.store.run(lambda unit: unit.record_poll(Poll("main", now, answer)))
    await it.cycle(snapshot(answer, account="main", at=now))


async def left(it: Desk, numbers: int) -> None:
    await answers(it, numbers={"remaining": numbers, "limit": 12})


def sentence(text: str) -> str:
    return text.splitlines()[1]


def keyless(text: str) -> str:
    """The text without the keys of deliveries, which are another matter."""
    return re.sub(r"\b(post|reply|edit) [0-9a-f]{8}\b", r"\1 KEY", re.sub(r"\b[0-9a-f]{32}\b", "KEY", text))
