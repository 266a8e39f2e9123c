"""A sandbox under test, its clock, and a client that may ask it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx

from guard.sandbox.scenario import Scenario
from guard.sandbox.server import Sandbox

KEY = "sandbox-key-1"


@dataclass
class Hand:
    """A clock that is moved by hand."""

    at: datetime = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, **duration: float) -> None:
        self.at += timedelta(**duration)


@dataclass
class Caller:
    """A sandbox, its clock, and a client that holds the right key."""

    sandbox: Sandbox
    clock: Hand
    client: httpx.AsyncClient = field(repr=False)

    async def ask(self, **headers: str) -> httpx.Response:
        return await self.get("/v1/usage", **headers)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers={"Authorization": f"Bearer {KEY}", **headers})

    async def body(self, path: str, *, sub: str | None = None) -> Any:
        """What a good answer holds, for the master account or a sub-account."""
        answer = await self.get(path, **({} if sub is None else {"X-Sub-Account-Id": sub}))
        assert answer.status_code == 200, answer.text
        return answer.json()


class Start(Protocol):
    async def __call__(self, scenario: Scenario | str = "steady", **options: Any) -> Caller: ...
