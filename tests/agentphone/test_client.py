import asyncio
import gzip
import json
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus

import pytest

from guard import __version__
from guard.errors import ConfigError
from guard.model import Answer, Failure, FailureKind
from tests.agentphone.calls import CERTIFICATE, GOOD, KEY, NEW_KEY, NOW, ask, client, server_tls
from tests.agentphone.wire import Script, answers, closed_port, head, repeats, resets, says, says_nothing, wire

MIB = 1024 * 1024


async def failure(*scripts: Script, deadline: timedelta = timedelta(seconds=10)) -> Failure:
    """What the client makes of a server that plays these scripts."""
    async with wire(*scripts) as server:
        return await failure_at(server.url, deadline=deadline)


async def failure_at(url: str, *, deadline: timedelta = timedelta(seconds=10)) -> Failure:
    answer = await ask(client(url, deadline=deadline))
    assert isinstance(answer, Failure)
    assert KEY not in answer.text
    assert answer.text.isprintable()
    return answer


# --- a good answer -------------------------------------------------------------------------------------------------


async def test_a_good_answer_is_kept_as_an_object_and_as_canonical_text() -> None:
    async with wire(answers(b'{"stats": {"b": 2, "a": 1}, "plan" : {}}')) as server:
        answer = await ask(client(server.url))
    assert answer == Answer({"stats": {"b": 2, "a": 1}, "plan": {}}, '{"plan":{},"stats":{"a":1,"b":2}}')


async def test_the_request_names_key_and_version_and_asks_for_plain_json() -> None:
    async with wire(GOOD) as server:
        await ask(client(server.url + "/"))
    assert server.requests[0].startswith(b"GET /v1/usage HTTP/1.1\r\n")
    assert server.header("Authorization") == f"Bearer {KEY}"
    assert server.header("Accept") == "application/json"
    assert server.header("Accept-Encoding") == "identity"
    assert server.header("User-Agent") == f"quota-guard/{__version__}"


async def test_a_base_url_with_a_path_keeps_it() -> None:
    async with wire(GOOD) as server:
        await ask(client(f"{server.url}/agentphone/"))
    assert server.requests[0].startswith(b"GET /agentphone/v1/usage ")


async def test_the_date_header_is_the_servers_clock() -> None:
    async with wire(answers(b'{"stats":{}}', headers=("Date: Mon, 23 Nov 2026 14:04:58 GMT",))) as server:
        answer = await ask(client(server.url))
    assert isinstance(answer, Answer)
    assert answer.server_at == datetime(2026, 11, 23, 14, 4, 58, tzinfo=UTC)


async def test_a_nonsense_date_header_is_no_clock() -> None:
    async with wire(answers(b'{"stats":{}}', headers=("Date: yesterday",))) as server:
        answer = await ask(client(server.url))
    assert isinstance(answer, Answer)
    assert answer.server_at is None


@pytest.mark.parametrize("part", ["numbers", "stats", "plan"])
async def test_one_part_of_the_reference_is_enough(part: str) -> None:
    async with wire(answers(json.dumps({part: {}}).encode())) as server:
        assert isinstance(await ask(client(server.url)), Answer)


async def test_a_body_without_length_ends_with_the_connection() -> None:
    async with wire(says(head("HTTP/1.1 200 OK"), b'{"stats":', b"{}}")) as server:
        assert isinstance(await ask(client(server.url)), Answer)


async def test_an_answer_of_just_one_mebibyte_is_read() -> None:
    body = b'{"stats":{}}'.ljust(MIB)
    async with wire(answers(body)) as server:
        assert isinstance(await ask(client(server.url)), Answer)


async def test_a_key_that_a_good_answer_echoes_is_not_kept() -> None:
    body = json.dumps({"stats": {KEY: 1}, "seen": [f"Bearer {KEY}", None], KEY: {"key": KEY, "n": 1}})
    async with wire(answers(body.encode())) as server:
        answer = await ask(client(server.url))
    assert isinstance(answer, Answer)
    assert KEY not in answer.text
    assert answer.payload == {"stats": {"***": 1}, "seen": ["Bearer ***", None], "***": {"key": "***", "n": 1}}


async def test_no_cookie_is_kept_from_one_poll_to_the_next() -> None:
    async with wire(answers(b'{"stats":{}}', headers=("Set-Cookie: a=b",))) as server:
        usage_client = client(server.url)
        await usage_client.usage(now=NOW)
        await ask(usage_client)
    assert len(server.requests) == 2
    assert server.header("Cookie") is None


async def test_a_failed_poll_leaves_the_client_able_to_ask_again() -> None:
    async with wire(resets(), resets(), GOOD) as server:
        usage_client = client(server.url)
        assert isinstance(await usage_client.usage(now=NOW), Failure)
        assert isinstance(await ask(usage_client), Answer)


# --- no whole answer -----------------------------------------------------------------------------------------------


async def test_a_refused_connection_says_by_whom() -> None:
    port = closed_port()
    answer = await failure_at(f"http://127.0.0.1:{port}")
    assert answer == Failure(FailureKind.UNREACHABLE, f"connection refused by 127.0.0.1:{port}")


async def test_a_refusal_at_every_address_of_a_name_is_a_refusal() -> None:
    port = closed_port()
    answer = await failure_at(f"http://localhost:{port}")
    assert answer == Failure(FailureKind.UNREACHABLE, f"connection refused by localhost:{port}")


async def test_a_name_that_does_not_exist_says_so() -> None:
    answer = await failure_at("https://api.invalid")
    assert answer == Failure(FailureKind.UNREACHABLE, "the name api.invalid could not be resolved")


async def test_a_name_that_no_name_may_be_says_so() -> None:
    answer = await failure_at(f"https://{'a' * 64}.example")
    assert answer.kind is FailureKind.UNREACHABLE
    assert "could not be resolved" in answer.text


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (resets(), "the connection was reset by HOST"),
        (resets(head("HTTP/1.1 200 OK", "Content-Length: 900"), b'{"st'), "the answer was cut short"),
        (says(), "HOST closed the connection without an answer"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Le"), "HOST closed the connection without an answer"),
        (says(head("HTTP/1.1 200 OK", "Content-Length: 900"), b'{"stats":{}}'), "the answer was cut short"),
        (says(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), b"5\r\n{}"), "the answer was cut short"),
        (says(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), b"zz\r\n"), "what HOST answered is not HTTP"),
        (says(head("HTTP/1.1 204 No"), b"a body"), "what HOST answered is not HTTP"),
        (says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "what HOST answered is not HTTP"),
        (says(b"HTTP/1.1 200 OK\r\nX: ", b"a" * MIB), "what HOST answered is not HTTP"),
        (says(b"HTTP/1.1 200 OK\r\n", b"X: a\r\n" * 100_000), "what HOST answered is not HTTP"),
    ],
)
async def test_an_answer_that_breaks_off_or_is_no_http_says_how(script: Script, text: str) -> None:
    async with wire(script) as server:
        answer = await failure_at(server.url)
    assert answer == Failure(FailureKind.UNREACHABLE, text.replace("HOST", f"127.0.0.1:{server.port}"))


@pytest.mark.parametrize(
    "script",
    [
        says_nothing,
        repeats(b"HTTP/1.1 200 OK\r\nX: ", b"a", every_s=0.01),
        repeats(head("HTTP/1.1 200 OK", "Content-Length: 90000"), b"{", every_s=0.01),
        repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silence", "dripping head", "dripping body", "continue without end"],
)
async def test_whatever_does_not_end_is_given_up_at_the_deadline(script: Script) -> None:
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    answer = await failure(script, deadline=timedelta(seconds=0.3))
    assert answer.kind is FailureKind.TIMEOUT
    assert "gave no whole answer within" in answer.text
    assert 0.3 <= loop.time() - started_s < 3


async def test_a_cancelled_poll_is_cancelled_and_not_a_failure() -> None:
    async with wire(says_nothing) as server:
        usage_client = client(server.url)
        poll = asyncio.create_task(usage_client.usage(now=NOW))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(poll, timeout=0.1)
        await usage_client.close()
    assert poll.cancelled()


# --- TLS -----------------------------------------------------------------------------------------------------------


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    async with wire(GOOD, tls=server_tls()) as server:
        answer = await failure_at(f"https://localhost:{server.port}")
    assert answer.kind is FailureKind.UNREACHABLE
    assert answer.text.startswith(f"TLS: certificate verify failed for localhost:{server.port}: self")
    assert server.requests == []


async def test_a_certificate_that_the_environment_vouches_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with wire(GOOD, tls=server_tls()) as server:
        assert isinstance(await ask(client(f"https://localhost:{server.port}")), Answer)


async def test_a_certificate_for_another_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with wire(GOOD, tls=server_tls()) as server:
        answer = await failure_at(f"https://127.0.0.1:{server.port}")
    assert answer.kind is FailureKind.UNREACHABLE
    assert "TLS: certificate verify failed" in answer.text
    assert "mismatch" in answer.text
    assert server.requests == []


async def test_a_server_without_tls_where_https_is_asked_says_so() -> None:
    async def speaks_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speaks_plainly, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        answer = await failure_at(f"https://127.0.0.1:{port}")
    assert answer.kind is FailureKind.UNREACHABLE
    assert answer.text == f"TLS: wrong version number, at 127.0.0.1:{port}"


# --- too much ------------------------------------------------------------------------------------------------------


@cache
def bomb() -> bytes:
    """200 MiB of zeros in 200 KiB of gzip."""
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(bytes(MIB)) for _ in range(200)]
    return b"".join([*parts, packer.flush()])


def too_much() -> dict[str, tuple[Script, FailureKind]]:
    chunked = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
    return {
        "a gzip bomb": (answers(bomb(), headers=("Content-Encoding: gzip",)), FailureKind.NOT_USAGE),
        "a gzip bomb that does not say so": (answers(bomb()), FailureKind.NOT_USAGE),
        "a body without end": (repeats(head("HTTP/1.1 200 OK"), b" " * 65536), FailureKind.TOO_LARGE),
        "chunks without end": (repeats(chunked, b"10000\r\n" + b" " * 65536 + b"\r\n"), FailureKind.TOO_LARGE),
        "a little over a mebibyte": (answers(b'{"stats":{}}'.ljust(MIB + 1)), FailureKind.TOO_LARGE),
        "a refusal without end": (repeats(head("HTTP/1.1 500 No"), b" " * 65536), FailureKind.SERVER),
        "100,000 brackets": (answers(b'{"stats":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), FailureKind.TOO_LARGE),
        "33 levels": (answers(b'{"stats":' + b"[" * 32 + b"]" * 32 + b"}"), FailureKind.TOO_LARGE),
        "5,000 digits": (answers(b'{"stats":{"a":' + b"9" * 5_000 + b"}}"), FailureKind.TOO_LARGE),
        "400 digits": (answers(b'{"stats":{"a":' + b"9" * 400 + b"}}"), FailureKind.TOO_LARGE),
        "1e999": (answers(b'{"stats":{"a":1e999}}'), FailureKind.TOO_LARGE),
        "-1e999": (answers(b'{"stats":{"a":-1e999}}'), FailureKind.TOO_LARGE),
    }


@pytest.mark.parametrize("name", list(too_much()))
async def test_too_much_is_refused_whole_and_memory_stays_flat(name: str) -> None:
    script, kind = too_much()[name]
    async with wire(script) as server:
        usage_client = client(server.url)
        tracemalloc.start()
        try:
            answer = await ask(usage_client)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert isinstance(answer, Failure)
    assert answer.kind is kind
    assert peak_bytes < 4 * MIB


# --- 200, but not the usage API ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "not the usage API: an empty answer"),
        (b" \r\n", "not the usage API: an empty answer"),
        (b"<html>\n<b>Sign in</b>", "not the usage API: no JSON: <html> <b>Sign in</b>"),
        (b'[{"stats":{}}]', 'not the usage API: a list: [{"stats":{}}]'),
        (b'"ok"', 'not the usage API: a string: "ok"'),
        (b"null", "not the usage API: null: null"),
        (b"true", "not the usage API: a boolean: true"),
        (b"3", "not the usage API: a number: 3"),
        (b"{}", "not the usage API: an object without numbers, stats and plan: {}"),
        (b'{"stats":[],"plan":"x","numbers":null}', None),
        (b'{"error":{"message":"no"}}', None),
        (b'{"stats":{"a":NaN}}', 'not the usage API: no JSON: {"stats":{"a":NaN}}'),
        (b'{"stats":{"a":Infinity}}', None),
        (b'{"stats":{"a":-Infinity}}', None),
        (b'{"stats":{"a":"\xff\xfe"}}', None),
        (b'{"stats":{"a":1', None),
        ('{"stats":{}}'.encode("utf-16"), None),
        (b"\xef\xbb\xbf" + b'{"stats":{}}', None),
        (gzip.compress(b'{"stats":{}}', mtime=0), None),
        (b"\x1b[31mred\x1b[0m \xe2\x80\xaeevil\x07\r\n", "not the usage API: no JSON: red evil"),
        (f"<p>{KEY}</p>".encode(), "not the usage API: no JSON: <p>***</p>"),
        (b"sk_live_\x004f9b2c81d07e", "not the usage API: no JSON: ***"),
    ],
)
async def test_a_200_that_is_not_the_usage_api_says_what_came(body: bytes, text: str | None) -> None:
    answer = await failure(answers(body))
    assert answer.kind is FailureKind.NOT_USAGE
    assert text is None or answer.text == text


async def test_what_is_quoted_is_at_most_200_bytes_and_holds_no_part_of_the_key() -> None:
    answer = await failure(answers(("é" * 95 + KEY + "é" * 900).encode()))
    quoted = answer.text.removeprefix("not the usage API: no JSON: ")
    assert quoted == "é" * 95 + "***" + "éé…"
    assert len(quoted.encode()) <= 200


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (404, b"", FailureKind.REFUSED, "the API answered 404 Not Found"),
        (400, b'{"detail":"no such thing"}', FailureKind.REFUSED, "the API answered 400 Bad Request: no such thing"),
        (101, b"", FailureKind.REFUSED, "the API answered 101 Switching Protocols"),
        (299, b"", FailureKind.REFUSED, "the API answered 299"),
        (204, b"", FailureKind.REFUSED, "the API answered 204 No Content"),
        (304, b"", FailureKind.REFUSED, "the API answered 304 Not Modified"),
        (409, b'{"error":{"message":"a\\nb\\u202ec"}}', FailureKind.REFUSED, "the API answered 409 Conflict: a bc"),
        (410, b'{"error":"gone"}', FailureKind.REFUSED, "the API answered 410 Gone"),
        (408, b"", FailureKind.SERVER, "the API answered 408 Request Timeout"),
        (500, b"[[", FailureKind.SERVER, "the API answered 500 Internal Server Error"),
        (503, b"<html>busy</html>", FailureKind.SERVER, "the API answered 503 Service Unavailable"),
        (799, b"", FailureKind.SERVER, "the API answered 799"),
        (
            403,
            b'{"error":{"message":"No access","code":"FORBIDDEN"}}',
            FailureKind.FORBIDDEN,
            "the API does not let this key see its account: 403 Forbidden: No access",
        ),
        (
            401,
            f'{{"error":{{"message":"Unknown key {KEY}"}}}}'.encode(),
            FailureKind.UNAUTHORIZED,
            "the API refused the key: 401 Unauthorized: Unknown key ***",
        ),
    ],
)
async def test_a_refusal_says_status_and_the_apis_own_words(
    status: int, body: bytes, kind: FailureKind, text: str
) -> None:
    answer = await failure(answers(body, status=status, phrase=f"Your key is {KEY}"))
    assert answer == Failure(kind, text)


async def test_a_422_names_each_place() -> None:
    problems = [{"loc": ["query", "days", 0], "msg": "too many"}, {"msg": "bad"}, "noise", {"loc": 3}]
    answer = await failure(answers(json.dumps({"detail": problems}).encode(), status=422))
    assert answer.kind is FailureKind.REFUSED
    assert answer.text.startswith("the API answered 422 Unprocessable")
    assert answer.text.endswith(": query.days.0: too many; bad")


@pytest.mark.parametrize(
    "script",
    [
        says(head("HTTP/1.1 401 No", "Content-Length: 900"), b'{"error":'),
        repeats(head("HTTP/1.1 401 No"), b" ", every_s=0.01),
        resets(head("HTTP/1.1 401 No", "Content-Length: 900")),
        answers(b"\x1f\x8b", status=401, headers=("Content-Encoding: gzip",)),
    ],
    ids=["cut short", "dripping", "reset", "compressed"],
)
async def test_a_status_counts_whatever_becomes_of_its_body(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guard.agentphone.exchange._REFUSAL_WAIT_S", 0.1)
    answer = await failure(script)
    assert answer == Failure(FailureKind.UNAUTHORIZED, "the API refused the key: 401 Unauthorized")


async def test_no_status_raises_or_shows_the_key_that_it_echoes() -> None:
    body = json.dumps({"error": {"message": f"Bearer {KEY}"}}).encode()
    statuses = [status for status in range(201, 600) if status not in {204, 304}]  # neither of them has a body
    scripts = [
        answers(body, status=status, phrase=KEY, headers=(f"Retry-After: {KEY}", f"X-Key: {KEY}"))
        for status in statuses
    ]
    async with wire(*scripts) as server:
        usage_client = client(server.url)
        for status in statuses:
            answer = await usage_client.usage(now=NOW)
            assert isinstance(answer, Failure)
            assert KEY not in answer.text
            assert str(status) in answer.text
        await usage_client.close()


# --- redirects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_the_other_host_sees_no_request(status: int) -> None:
    async with wire(GOOD) as other:
        to_other = answers(status=status, headers=(f"Location: {other.url}/v1/usage?key={KEY}",))
        answer = await failure(to_other)
    assert answer.kind is FailureKind.REFUSED
    assert f"with a redirect to {other.url}, where the key is not sent" in answer.text
    assert "base_url" in answer.text
    assert other.requests == []


async def test_a_redirect_to_the_same_host_is_not_followed_either() -> None:
    async with wire(answers(status=307, headers=("Location: /v2/usage",)), GOOD) as server:
        answer = await failure_at(server.url)
    assert f"with a redirect to {server.url}," in answer.text
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://\x1b[31mevil", "a redirect to nowhere that can be read"),
        ("http://[::1", "a redirect to nowhere that can be read"),
        (f"https://{KEY}.example/x", "a redirect to https://***.example,"),
        (f"https://user:{KEY}@a.example", "a redirect to https://a.example,"),
        ("https:///x", "a redirect to"),
        ("javascript:alert(1)", "a redirect to"),
        ("", "a redirect to"),
        ("é", "a redirect to"),
    ],
)
async def test_a_redirect_to_anywhere_is_refused_in_clean_words(location: str, words: str) -> None:
    answer = await failure(answers(status=302, headers=(f"Location: {location}",)))
    assert answer.kind is FailureKind.REFUSED
    assert words in answer.text


# --- 401 and the key's source --------------------------------------------------------------------------------------


async def test_a_refused_key_is_read_again_once_and_the_new_one_is_kept() -> None:
    async with wire(answers(status=401), GOOD) as server:
        usage_client = client(server.url, read_key=lambda: NEW_KEY)
        assert isinstance(await usage_client.usage(now=NOW), Answer)
        assert isinstance(await ask(usage_client), Answer)
    sent = [server.header("Authorization", request=number) for number in range(3)]
    assert sent == [f"Bearer {KEY}", f"Bearer {NEW_KEY}", f"Bearer {NEW_KEY}"]


@pytest.mark.parametrize("again", [KEY, None, ""])
async def test_a_refused_key_that_is_still_the_same_is_not_asked_with_again(again: str | None) -> None:
    async with wire(answers(status=401)) as server:
        answer = await ask(client(server.url, read_key=lambda: again))
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.UNAUTHORIZED
    assert len(server.requests) == 1


async def test_a_new_key_that_is_refused_too_is_no_loop_and_is_masked() -> None:
    keys = iter([NEW_KEY, "sk_a_third"])
    echo = json.dumps({"error": {"message": f"Unknown key {NEW_KEY}"}}).encode()
    async with wire(answers(status=401), answers(echo, status=401)) as server:
        answer = await ask(client(server.url, read_key=lambda: next(keys)))
    assert isinstance(answer, Failure)
    assert answer.text == "the API refused the key: 401 Unauthorized: Unknown key ***"
    assert len(server.requests) == 2


async def test_a_refused_key_is_untried_again_once_its_source_holds_another() -> None:
    source = [KEY]
    async with wire(GOOD, answers(status=401)) as server:
        usage_client = client(server.url, read_key=lambda: source[-1])
        await usage_client.usage(now=NOW)
        assert usage_client.has_untried_key()  # as far as this process knows
        await usage_client.usage(now=NOW)
        assert not usage_client.has_untried_key()
        source.append(NEW_KEY)
        assert usage_client.has_untried_key()
        await ask(usage_client)
        assert not usage_client.has_untried_key()
    sent = [server.header("Authorization", request=number) for number in range(3)]
    assert sent == [f"Bearer {KEY}", f"Bearer {KEY}", f"Bearer {NEW_KEY}"]


async def test_a_good_key_is_never_read_again() -> None:
    async with wire(answers(status=500)) as server:
        await ask(client(server.url, read_key=lambda: NEW_KEY))
    assert len(server.requests) == 1


@pytest.mark.parametrize("key", ["", "sk live", "sk_live\r\nX-Evil: 1", "sk_lïve"])
async def test_a_key_that_cannot_be_sent_is_not_sent_and_not_shown(key: str) -> None:
    async with wire(GOOD) as server:
        answer = await ask(client(server.url, key=key))
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.UNAUTHORIZED
    assert not key or key not in answer.text
    assert server.requests == []


async def test_a_key_that_cannot_be_sent_is_read_again_too() -> None:
    async with wire(GOOD) as server:
        assert isinstance(await ask(client(server.url, key="", read_key=lambda: NEW_KEY)), Answer)


# --- Retry-After ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, ("Retry-After: 7",), 7),
        (429, (), 60),
        (429, ("Retry-After: soon",), 60),
        (429, ("Retry-After: -5",), 60),
        (429, ("Retry-After: 0",), 1),
        (429, ("Retry-After: 1000000000",), 3600),
        (429, ("Retry-After: Mon, 23 Nov 2026 14:05:30 GMT",), 30),
        (429, ("Retry-After: Mon, 23 Nov 2026 14:05:30 GMT", "Date: Mon, 23 Nov 2026 14:05:10 GMT"), 20),
        (503, ("Retry-After: 7",), 7),
        (503, ("Retry-After: soon",), 60),
        (503, (), None),
        (408, ("Retry-After: 2",), 2),
        (404, ("Retry-After: 2",), None),
    ],
)
async def test_how_long_the_api_asks_to_be_left_alone_is_kept(
    status: int, headers: tuple[str, ...], wait_s: int | None
) -> None:
    answer = await failure(answers(status=status, headers=headers))
    assert answer.kind is {429: FailureKind.RATE_LIMITED, 404: FailureKind.REFUSED}.get(status, FailureKind.SERVER)
    assert answer.retry_after == (None if wait_s is None else timedelta(seconds=wait_s))


async def test_a_rate_limit_says_the_apis_own_words() -> None:
    body = b'{"error": {"message": "Slow down", "code": "RATE_LIMIT_EXCEEDED", "details": []}}'
    answer = await failure(answers(body, status=HTTPStatus.TOO_MANY_REQUESTS))
    assert answer.text == "the API answered 429 Too Many Requests: Slow down"


# --- where the key may go ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("http://api.agentphone.ai", "in the clear"),
        ("http://127.0.0.1.example", "in the clear"),
        ("http://localhost.example", "in the clear"),
        ("http://10.0.0.1", "in the clear"),
        ("ftp://127.0.0.1", "no https:// URL"),
        ("api.agentphone.ai", "no https:// URL"),
        ("https://", "no https:// URL"),
        ("", "no https:// URL"),
        ("https://[::1", "not a URL"),
        ("https://api.example:x", "not a URL"),
        ("https://api.example:99999", "no https:// URL"),
        ("https://user:hunter2@api.example", "a password"),
        ("https://api.example?x=1", "a query"),
        ("https://api.example/#x", "a fragment"),
    ],
)
def test_a_base_url_where_the_key_must_not_go_is_refused(base_url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        client(base_url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url", ["http://localhost:1", "http://[::1]:1", "http://127.8.8.8", "https://a.example/b/"]
)
async def test_https_anywhere_and_http_to_loopback_are_taken(base_url: str) -> None:
    await client(base_url).close()


async def test_loopback_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with wire(answers(status=403)) as proxy, wire(GOOD) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert isinstance(await ask(client(server.url)), Answer)
    assert proxy.requests == []


async def test_a_proxy_of_the_environment_is_used_and_never_sees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async with wire(answers(status=407, phrase=KEY)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        answer = await failure_at("https://api.example")
    assert answer.kind is FailureKind.UNREACHABLE
    assert answer.text == "the proxy of the environment does not let through to api.example"
    assert proxy.requests[0].startswith(b"CONNECT api.example:443 ")
    assert KEY.encode() not in proxy.requests[0]


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "gopher://127.0.0.1"])
def test_a_proxy_that_cannot_be_used_is_a_mistake_of_the_environment(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigError, match="proxy cannot be used"):
        client("https://api.example")
