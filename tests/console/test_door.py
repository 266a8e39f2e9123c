"""No route is reached other than through the door: the routing table is walked."""

from collections.abc import Iterable

import pytest
from starlette.types import Message

from guard.clock import Clock
from guard.console.application import routes
from guard.console.door import Door
from guard.console.health import Health
from guard.settings import Listen
from tests.console.listening import FREE, Listening, listening

ROUTES = [route.path for route in routes(Health(every_s=1.0, began_s=0.0), Clock())]
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is tested is that it takes a token


def with_token(host: str = "127.0.0.1") -> Listen:
    return Listen(host, 0, token="tökén 1")


def header(token: str, *, scheme: str = "Bearer") -> str:
    """The header as bytes of UTF-8 that the wire then shows."""
    return f"{scheme} {token}".encode().decode("latin-1")


async def statuses(it: Listening, paths: Iterable[str], *, method: str = "GET", **headers: str) -> set[int]:
    return {(await it.ask(path, method=method, **headers)).status for path in paths}


def test_there_are_routes() -> None:
    assert "/healthz" in ROUTES


async def test_every_route_is_open_on_loopback_where_no_token_is_set() -> None:
    async with listening() as it:
        assert await statuses(it, ROUTES) == {200}


@pytest.mark.parametrize("path", [*ROUTES, "/", "/nothing-here", "/healthz/"])
async def test_every_answer_has_the_headers_that_make_it_harmless(path: str) -> None:
    async with listening(with_token()) as it:
        for headers in ({}, {"host": "evil.example"}, {"authorization": header("tökén 1")}):
            answer = await it.ask(path, **headers)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "server" not in answer.headers


async def test_a_slash_at_the_end_redirects_nowhere() -> None:
    async with listening() as it:
        assert (await it.ask("/healthz/")).status == 404


# --- methods -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE", "get"])
async def test_no_route_takes_what_could_change_something(method: str) -> None:
    async with listening() as it:
        assert await statuses(it, ROUTES, method=method) == {405}
        assert (await it.ask(method=method)).headers["allow"] == "GET, HEAD"


# --- the Host header -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "LocalHost:1", "127.0.0.1", "[::1]", "[::1]:8080"])
async def test_loopbacks_names_are_let_in(host: str) -> None:
    async with listening() as it:
        assert await statuses(it, ROUTES, host=host) == {200}


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "", "::1", "[::1"),
        *("localhost@evil.example", "192.0.2.7", "127.0.0.1:8080:1", "localhost:x"),
    ],
)
async def test_another_name_is_not_let_in_for_a_page_may_have_made_it_lead_here(host: str) -> None:
    async with listening() as it:
        assert await statuses(it, ROUTES, host=host) == {421}


async def test_another_name_is_not_let_in_on_loopback_with_a_token_either() -> None:
    async with listening(with_token()) as it:
        assert await statuses(it, ROUTES, host="evil.example", authorization=header("tökén 1")) == {421}


async def test_the_address_that_is_listened_on_is_let_in() -> None:
    async with listening(Listen("127.0.0.2", 0), at="127.0.0.2") as it:
        assert await statuses(it, ROUTES, host="127.0.0.2:80") == {200}


async def test_beyond_loopback_any_name_is_let_in_with_the_token() -> None:
    async with listening(with_token(EVERYWHERE)) as it:
        assert await statuses(it, ROUTES, host="guard.example", authorization=header("tökén 1")) == {200}
        assert await statuses(it, ROUTES, host="guard.example") == {401}


# --- the token -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_the_token_opens_every_route(scheme: str) -> None:
    async with listening(with_token()) as it:
        assert await statuses(it, ROUTES, authorization=header("tökén 1", scheme=scheme)) == {200}


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Bearer", "Bearer ", header("tökén 2"), header("tökén"), header("tökén 11"), header("TÖKÉN 1")),
        *(header("tökén 1", scheme="Basic"), "tökén 1", "Bearer tökén 1", f"{header('tökén 1')}, {header('x')}"),
    ],
)
async def test_without_the_token_no_route_opens(authorization: str) -> None:
    async with listening(with_token()) as it:
        headers = {"authorization": authorization} if authorization else {}
        assert await statuses(it, [*ROUTES, "/nothing-here"], **headers) == {401}
        answer = await it.ask(**headers)
        assert answer.headers["www-authenticate"] == 'Bearer realm="quota-guard"'
        assert "1" not in answer.body


async def test_a_token_in_the_address_does_not_count() -> None:
    async with listening(Listen(port=0, token="t0ken")) as it:
        assert await statuses(it, [f"{path}?token=t0ken&access_token=t0ken" for path in ROUTES]) == {401}


async def test_what_is_no_request_does_not_come_through() -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match="websocket does not come through this door"):
        await Door(app, FREE)({"type": "websocket"}, receive, send)
