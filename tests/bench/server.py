"""The API of the benchmarks, as a process of its own: `python -m tests.bench.server SUB_ACCOUNTS`.

It prints its port, and then obeys orders, a line each, on stdin. It answers each with an instant of the monotonic
clock, which all processes of a machine share:

    asked 3         when the third request for usage from now on came
    shown 1 s0007   when sub-account s0007 was first shown 1 number left, which it is shown from now on; without
                    an id it is the master account

It is bare asyncio, and so answers in a fraction of what the guard needs to ask.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tests.bench.answers import REMAINING, encoded, listing, usage

HISTORY: Final = 64
"""So many polls an account has had before this server's first answer."""

_HEAD: Final = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


class Server:
    """What it answers, and who waits for what."""

    def __init__(self, sub_accounts: int) -> None:
        self._sub_accounts = sub_accounts
        self._polls: Counter[str] = Counter()  # by sub-account; the master's under the empty name
        self._remaining: dict[str, int] = {}
        self._awaited = 0  # requests until the order `asked` is answered
        self._unshown: set[str] = set()

    def obey(self, line: str) -> None:
        """Takes one order."""
        order, number, *sub = line.split()
        if order == "asked":
            self._awaited = int(number)
        else:
            account = "".join(sub)
            self._remaining[account] = int(number)
            self._unshown.add(account)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one connection until it ends."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path, *lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines if line)
                self._answer(path.split()[1], headers.get("x-sub-account-id", ""), writer.write)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, path: str, account: str, write: Callable[[bytes], None]) -> None:
        url = urlsplit(path)
        if url.path == "/v1/sub-accounts":
            query = parse_qs(url.query)
            page = listing(self._sub_accounts, offset=int(query["offset"][0]), limit=int(query["limit"][0]))
            write(_whole(encoded(page)))
            return
        if self._awaited:
            self._awaited -= 1
            if not self._awaited:
                _report()
        self._polls[account] += 1
        polls = HISTORY + self._polls[account]
        write(_whole(encoded(usage(polls, remaining=self._remaining.get(account, REMAINING)))))
        if account in self._unshown:
            self._unshown.remove(account)
            _report()


def _whole(body: bytes) -> bytes:
    return _HEAD.format(len(body)).encode() + body


def _report() -> None:
    print(time.monotonic(), flush=True)  # noqa: T201 - whoever gave the order reads it


async def _serve(sub_accounts: int) -> None:
    served = Server(sub_accounts)
    listener = await asyncio.start_server(served.talk, "127.0.0.1", 0, backlog=1024)
    print(listener.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the same
    orders = asyncio.StreamReader()
    protocol = partial(asyncio.StreamReaderProtocol, orders)
    await asyncio.get_running_loop().connect_read_pipe(protocol, sys.stdin)
    while line := await orders.readline():
        served.obey(line.decode())


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
