"""Any service that Apprise speaks to: each message by a process of its own, which Apprise runs in."""

import asyncio
import json
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import ClassVar, Final

from guard.notify.apprise_child import MISSING, UNUSABLE
from guard.notify.apprise_notes import Note, notes_of
from guard.notify.notifier import Call, Gone, Outcome, Post, Rejected, Retry, Sent, Unsure
from guard.units import duration_text

DEADLINE: Final = timedelta(seconds=30)  # starting it takes half a second, and a service's own timeouts are 4 s each
CHILD: Final = (sys.executable, "-P", "-m", "guard.notify.apprise_child")  # -P: no module of where it is started
FAULTS: Final = {
    MISSING: "Apprise is not installed; pip install 'quota-guard[apprise]'",
    UNUSABLE: "Apprise knows no such URL; https://appriseit.com/services/ lists those it does",
}


class AppriseNotifier:
    """One service behind a URL of Apprise, which is a secret: it goes to the process's standard input only.

    Apprise says of a message only that it was sent or that it was not, so what was not may have arrived nevertheless.
    `child` is the command that speaks as `apprise_child` does.
    """

    threads: ClassVar = False
    edits: ClassVar = False
    finds: ClassVar = False

    def __init__(self, url: str, *, child: Sequence[str] = CHILD, deadline: timedelta = DEADLINE) -> None:
        """Starts nothing yet."""
        self._url = url
        self._child = child
        self._deadline = deadline
        self._key = ""
        self._accepted: set[str] = set()  # notes of the delivery with that key, so that many get done in many attempts

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        """Sends the message; for PagerDuty an event an incident, of which another attempt leaves out those accepted."""
        if not isinstance(call, Post):
            return Gone("Apprise cannot edit or answer what it sent")
        if key != self._key:
            self._key, self._accepted = key, set()
        notes = [note for note in notes_of(call.message, url=self._url) if note.id not in self._accepted]
        try:
            async with asyncio.timeout(self._deadline.total_seconds()), self._running() as process:
                return await self._outcome(process, notes)
        except TimeoutError:
            return Unsure(f"Apprise did not end within {duration_text(self._deadline)}")
        except OSError as fault:
            return Retry(f"Apprise could not be started: {type(fault).__name__}")

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:  # noqa: ARG002 - Apprise shows nothing
        """Finds nothing: Apprise only sends."""
        return None

    async def close(self) -> None:
        """Does nothing: each delivery ends its process."""

    async def _outcome(self, process: Process, notes: Sequence[Note]) -> Outcome:
        said, _ = await asyncio.gather(self._read(process, len(notes)), _tell(process, self._url, notes))
        return said

    async def _read(self, process: Process, count: int) -> Outcome:
        """What became of so many notes, by the process's answers."""
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for _ in range(count):
            said = _answer(await process.stdout.readline())
            if fault := FAULTS.get(str(said.get("fault"))):
                return Rejected(fault)
            if said.get("is_sent") is not True:
                return Unsure(_why(said))
            self._accepted.add(str(said.get("id")))
        return Sent()

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[Process]:
        """The process, which is gone afterwards, come what may; in a session of its own, away from Ctrl-C."""
        process = await asyncio.create_subprocess_exec(
            *self._child, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def url_fault(url: str) -> str | None:
    """Why Apprise cannot send to a URL, for people; None when it can. Takes about half a second."""
    asked = _request(url, ())
    done = subprocess.run(CHILD, input=asked, capture_output=True, check=False)  # noqa: S603 - our own command
    return FAULTS.get(str(_answer(done.stdout).get("fault")))


async def _tell(process: Process, url: str, notes: Iterable[Note]) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    with suppress(ConnectionError):  # it is gone, which is seen by its answers
        process.stdin.write(_request(url, notes))
        await process.stdin.drain()
        process.stdin.close()


def _request(url: str, notes: Iterable[Note]) -> bytes:
    return json.dumps({"url": url, "notes": [asdict(note) for note in notes]}).encode()


def _answer(line: bytes) -> Mapping[str, object]:
    """What a line of the process says; nothing where it ended before it had said all."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _why(said: Mapping[str, object]) -> str:
    if not said:
        return "Apprise ended before it had said what became of the message"
    status = said.get("status")
    return f"the service answered {status:d} to Apprise" if isinstance(status, int) else "Apprise could not send it"
