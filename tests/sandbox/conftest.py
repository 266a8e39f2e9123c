from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from guard.sandbox.scenario import Scenario
from guard.sandbox.server import Sandbox
from tests.sandbox.caller import KEY, Caller, Hand, Start


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts sandboxes that end with the test."""
    async with AsyncExitStack() as stack:

        async def started(scenario: Scenario | str = "steady", **options: Any) -> Caller:
            clock = Hand()
            sandbox = await stack.enter_async_context(Sandbox(scenario=scenario, key=KEY, now=clock, **options))
            client = httpx.AsyncClient(base_url=sandbox.base_url, trust_env=False, timeout=10)
            return Caller(sandbox, clock, await stack.enter_async_context(client))

        yield started
