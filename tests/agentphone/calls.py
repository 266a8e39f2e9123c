"""A client at a stand-in, and what its tests ask for."""

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from guard.agentphone import UsageClient
from guard.model import Answer, Failure
from tests.agentphone.wire import answers

KEY = "sk_live_4f9b2c81d07e"
NEW_KEY = "sk_live_a_newer_one"
NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
USAGE = {"numbers": {"used": 9, "limit": 12, "remaining": 3}, "stats": {"totalMessages": 81240}}
GOOD = answers(json.dumps(USAGE).encode())
CERTIFICATE = Path(__file__).with_name("self-signed.pem")  # for the name localhost


def client(
    url: str,
    *,
    key: str = KEY,
    read_key: Callable[[], str | None] = lambda: None,
    deadline: timedelta = timedelta(seconds=10),
) -> UsageClient:
    return UsageClient(base_url=url, key=key, read_key=read_key, deadline=deadline)


async def ask(usage_client: UsageClient, *, sub_id: str = "") -> Answer | Failure:
    """Asks once, and closes the client."""
    try:
        return await usage_client.usage(now=NOW, sub_id=sub_id)
    finally:
        await usage_client.close()


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
