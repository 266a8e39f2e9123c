"""What the mail notifier owes whatever the server does: an outcome in time, no secret in it, and nothing kept."""

import asyncio
import base64
import logging
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.config.things import Security
from guard.notify.mail import _DEADLINE, _FAREWELL_S, EmailNotifier
from guard.notify.notifier import Outcome, Post, Rejected, Retry, Sent, Unsure
from guard.service import GIVE_UP_AFTER, WATCH_S
from tests.builders import NOW
from tests.notify.examples import PATIENT, message
from tests.stand_ins.mail import PASSWORD, STEPS, USERNAME, OddMailServer, Step

BEFORE = ["greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"]  # the steps before the mail itself
SHORT = timedelta(milliseconds=300)
PATIENCE = timedelta(seconds=20)
NEEDED = {"EHLO": b"250-odd.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SECRETS = [PASSWORD, encoded(PASSWORD), encoded(USERNAME), encoded(f"\0{USERNAME}\0{PASSWORD}")]


def notifier(port: int, *, security: Security = Security.NONE, deadline: timedelta = PATIENCE) -> EmailNotifier:
    return EmailNotifier(
        host="localhost",
        port=port,
        security=security,
        username=USERNAME,
        password=PASSWORD,
        sender="guard@example.com",
        now=lambda: NOW,
        deadline=deadline,
    )


async def outcome_of(steps: dict[str, Step], *, echoes: bool = False, deadline: timedelta = PATIENCE) -> Outcome:
    """Delivers, and holds the notifier to what it owes."""
    async with OddMailServer(steps, echoes=echoes) as server:
        outcome = await notifier(server.port, deadline=deadline).deliver(Post(message(), "ops@example.com"), key="k1")
    assert isinstance(outcome, Sent | Retry | Unsure | Rejected)
    assert not [secret for secret in SECRETS if secret.casefold() in repr(outcome).casefold()]
    assert len(repr(outcome)) < 250
    assert repr(outcome).isprintable()
    return outcome


def ends(how: Callable[[asyncio.StreamWriter], None], first: bytes = b"") -> Step:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        how(writer)
        raise ConnectionResetError

    return script


def close(writer: asyncio.StreamWriter) -> None:
    writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def goes_on(part: bytes, *, every_s: float | None = 0) -> Callable[..., Awaitable[None]]:
    """Says the part for ever, as fast as it is read or a part at a time."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            writer.write(part)
            await writer.drain()
            try:
                await asyncio.wait_for(reader.read(1 if every_s else 0), every_s or None)
            except TimeoutError:
                continue

    return script


# --- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [*BEFORE, "."])
@pytest.mark.parametrize("code", [421, 432, 450, 451, 452, 454, 471])
async def test_not_now_is_tried_again_at_every_step(step: str, code: int) -> None:
    outcome = await outcome_of({step: f"{code} 4.7.0 Not now\r\n".encode()})
    assert isinstance(outcome, Retry)
    assert outcome.why.endswith(f": {code} 4.7.0 Not now")
    assert outcome.after == (timedelta(minutes=1) if code in {450, 451} else None)


@pytest.mark.parametrize("step", [*BEFORE, "."])
@pytest.mark.parametrize("code", [500, 502, 521, 530, 534, 535, 550, 552, 553, 554])
async def test_never_is_final_at_every_step(step: str, code: int) -> None:
    outcome = await outcome_of({step: f"{code}-5.7.1 Never\r\n{code} ever\r\n".encode()})
    assert isinstance(outcome, Rejected)
    assert outcome.why.endswith(f": {code} 5.7.1 Never ever")


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("greeting", "the connection"),
        ("EHLO", "our greeting"),
        ("AUTH", "the login"),
        ("MAIL", "the sender"),
        ("RCPT", "the recipient"),
        ("DATA", "the message"),
        (".", "the message"),
    ],
)
async def test_a_refusal_says_what_was_refused(step: str, what: str) -> None:
    assert await outcome_of({step: b"554 no\r\n"}) == Rejected(f"the mail server refused {what}: 554 no")
    assert await outcome_of({step: b"452\r\n"}) == Retry(f"the mail server put off {what}: 452")


@pytest.mark.parametrize("answer", [b"454 no TLS now\r\n", b"501 no\r\n"])
async def test_starttls_that_is_refused_is_no_delivery(answer: bytes) -> None:
    async with OddMailServer({**NEEDED, "STARTTLS": answer}) as server:
        channel = notifier(server.port, security=Security.STARTTLS)
        outcome = await channel.deliver(Post(message(), "ops@example.com"), key="k1")
    assert isinstance(outcome, Retry if answer.startswith(b"4") else Rejected)
    assert all(not line.startswith((b"AUTH", b"MAIL")) for line in server.lines)


@pytest.mark.parametrize("answer", [b"220 taken\r\n", b"250-taken\r\n250 and kept\r\n", b"250\r\n"])
async def test_every_answer_that_says_taken_counts(answer: bytes) -> None:
    assert isinstance(await outcome_of({".": answer}), Sent)


@pytest.mark.parametrize("farewell", [ends(close), ends(reset), b"500 no\r\n", b"\xff\xff\r\n", b"", say_nothing])
async def test_what_becomes_of_the_farewell_changes_nothing(farewell: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guard.notify.mail._FAREWELL_S", 0.2)
    assert isinstance(await outcome_of({"QUIT": farewell}), Sent)


# --- no answers ----------------------------------------------------------------------------------------------------

FAULTS: dict[str, Step] = {
    "close": ends(close),
    "reset": ends(reset),
    "close in the middle": ends(close, b"25"),
    "close in the middle of lines": ends(close, b"250-more\r\n"),
    "silence": say_nothing,
    "silence in the middle": b"250-more\r\n",
    "nothing": b"\r\n",
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "binary": bytes(range(256)) + b"\r\n",
    "a code that is none": b"999 hello\r\n",
    "a code below none": b"-12 hello\r\n",
    "a preliminary code": b"150 wait\r\n",
    "a code of another place": b"354 go ahead\r\n",
    "a long line": b"250 " + b"x" * 100_000 + b"\r\n",
    "a long line without end": b"250 " + b"x" * 1_000_000,
    "many lines": b"250-x\r\n" * 100_000,
    "endless lines": goes_on(b"250-x\r\n" * 1_000),
    "endless letters": goes_on(b"x" * 10_000),
    "a drip": goes_on(b"2", every_s=0.01),
}

WAITING = {"silence", "silence in the middle", "a drip"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", [*BEFORE, "."])
async def test_a_fault_before_the_mail_is_tried_again_and_one_after_it_left_open(step: str, fault: str) -> None:
    if fault == "a code of another place" and step == "DATA":
        return  # there it is in its place
    # Only what keeps us waiting needs a short deadline, and by two thirds of it the mail must be under way.
    deadline = SHORT * (6 if step == "." else 1) if fault in WAITING else PATIENCE
    started_s = time.monotonic()
    outcome = await outcome_of({step: FAULTS[fault]}, deadline=deadline)
    assert time.monotonic() - started_s < 15  # of which a busy machine takes nearly all
    assert isinstance(outcome, Unsure if step == "." else Retry)


@pytest.mark.parametrize("fault", ["close", "reset", "silence", "a drip", "endless letters"])
async def test_a_fault_of_the_handshake_is_tried_again(fault: str) -> None:
    for security, step in ((Security.TLS, "greeting"), (Security.STARTTLS, "STARTTLS")):
        async with OddMailServer({**NEEDED, step: FAULTS[fault]}) as server:
            channel = notifier(server.port, security=security, deadline=SHORT)
            outcome = await channel.deliver(Post(message(), "ops@example.com"), key="k1")
        assert isinstance(outcome, Retry)


async def test_a_mail_that_is_not_begun_in_time_is_not_begun_at_all() -> None:
    assert await outcome_of({"DATA": say_nothing}, deadline=SHORT) == Retry("the mail server did not answer in time")


async def test_a_server_that_goes_with_its_go_ahead_may_have_had_the_mail_or_not() -> None:
    assert isinstance(await outcome_of({"DATA": ends(close, b"354 go ahead\r\n")}), Retry | Unsure)


def test_the_longest_delivery_is_shorter_than_what_the_watchdog_takes_for_hanging() -> None:
    assert _DEADLINE.total_seconds() + _FAREWELL_S < (GIVE_UP_AFTER - 1) * WATCH_S


async def test_the_answer_to_the_mail_has_time_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guard.notify.mail._BEGIN_SHARE", 0.05)

    async def think(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1), 1.1)  # longer than the time that there was to begin
        writer.write(b"250 taken\r\n")

    assert isinstance(await outcome_of({".": think}), Sent)


async def test_a_server_that_goes_on_for_ever_does_not_fill_the_memory() -> None:
    tracemalloc.start()
    try:
        await outcome_of({"EHLO": goes_on(b"250-x\r\n" * 10_000)}, deadline=timedelta(seconds=1))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000  # the peak, most of it the stand-in's
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("step", [*BEFORE, ".", "QUIT"])
async def test_nothing_of_a_connection_stays_behind(step: str) -> None:
    before = asyncio.all_tasks()
    async with OddMailServer({step: ends(close)}) as server:
        await notifier(server.port).deliver(Post(message(), "ops@example.com"), key="k1")
        await server.closed()
    assert asyncio.all_tasks() == before


# --- secrets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [*BEFORE, ".", "QUIT"])
@pytest.mark.parametrize("code", [b"450", b"550", b"999"])
async def test_a_server_that_repeats_what_it_was_sent_tells_nobody(
    step: str, code: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    await outcome_of({step: code + b" no\r\n"}, echoes=True)
    assert not [secret for secret in SECRETS if secret in caplog.text]


@pytest.mark.parametrize("offered", [b"PLAIN", b"LOGIN", b"CRAM-MD5"])
async def test_whatever_way_it_logs_in_what_is_repeated_is_not_told(offered: bytes) -> None:
    async def challenge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if offered != b"PLAIN":
            writer.write(b"334 Y2hhbGxlbmdl\r\n")
            writer.write(b"535 you said " + await reader.readline())
        else:
            writer.write(b"535 you said " + server.lines[-1])

    steps: dict[str, Step] = {"EHLO": b"250-odd.test\r\n250 AUTH " + offered + b"\r\n", "AUTH": challenge}
    async with OddMailServer(steps) as server:
        outcome = await notifier(server.port).deliver(Post(message(), "ops@example.com"), key="k1")
    assert outcome == Rejected("the mail server refused the login: 535 (a text that repeats the login)")


@PATIENT
@given(said=st.binary(max_size=60), step=st.sampled_from([*STEPS]))
async def test_whatever_the_server_says_there_is_an_outcome(said: bytes, step: str) -> None:
    await outcome_of({step: said + b"\r\n"}, deadline=SHORT)
