"""No route is reached other than through the door: the routing table is walked."""

from base64 import b64encode
from collections.abc import Iterable
from itertools import product

import pytest
from starlette.types import Message

from guard.console.door import CHALLENGES, Door
from guard.message.link import alert_url
from guard.settings import Listen
from tests.builders import KEY, alert
from tests.console.listening import FREE, Listening, listening

EXAMPLES = {"/alerts/{key:text}": alert_url("", KEY)}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is tested is that it takes a token


def with_token(host: str = "127.0.0.1") -> Listen:
    return Listen(host, 0, token="tökén 1")


async def routes(it: Listening) -> list[str]:
    """A path for each route there is, which leads to something."""
    await it.parts.store.run(lambda unit: unit.save_alerts([alert()]))
    found = [route.path for route in it.console._app._app.routes]  # type: ignore[attr-defined] # the door's, and Starlette's
    return [EXAMPLES.get(path, path) for path in found]


def header(token: str, *, scheme: str = "Bearer") -> str:
    """The header as bytes of UTF-8 that the wire then shows."""
    return f"{scheme} {token}".encode().decode("latin-1")


def basic(text: str, *, scheme: str = "Basic") -> str:
    """The header of a user and a password, as a browser writes it."""
    return f"{scheme} {b64encode(text.encode()).decode()}"


async def statuses(it: Listening, paths: Iterable[str], *, method: str = "GET", **headers: str) -> set[int]:
    return {(await it.ask(path, method=method, **headers)).status for path in paths}


async def test_there_are_routes() -> None:
    async with listening() as it:
        assert {"/", "/healthz", "/alerts/main/numbers-remaining"} <= set(await routes(it))


async def test_every_route_is_open_on_loopback_where_no_token_is_set() -> None:
    async with listening() as it:
        assert await statuses(it, await routes(it)) == {200}


async def test_every_answer_has_the_headers_that_make_it_harmless() -> None:
    async with listening(with_token()) as it:
        of_all: list[dict[str, str]] = [{}, {"host": "evil.example"}, {"authorization": header("tökén 1")}]
        for path, headers in product([*await routes(it), "/nothing-here", "/healthz/"], of_all):
            answer = await it.ask(path, **headers)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; ")
            assert "script" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "server" not in answer.headers


async def test_a_slash_at_the_end_redirects_nowhere() -> None:
    async with listening() as it:
        assert (await it.ask("/healthz/")).status == 404


# --- methods -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE", "get"])
async def test_no_route_takes_what_could_change_something(method: str) -> None:
    async with listening() as it:
        assert await statuses(it, await routes(it), method=method) == {405}
        assert (await it.ask(method=method)).headers["allow"] == "GET, HEAD"


# --- the Host header -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "LocalHost:1", "127.0.0.1", "[::1]", "[::1]:8080"])
async def test_loopbacks_names_are_let_in(host: str) -> None:
    async with listening() as it:
        assert await statuses(it, await routes(it), host=host) == {200}


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "", "::1", "[::1"),
        *("localhost@evil.example", "192.0.2.7", "127.0.0.1:8080:1", "localhost:x"),
    ],
)
async def test_another_name_is_not_let_in_for_a_page_may_have_made_it_lead_here(host: str) -> None:
    async with listening() as it:
        assert await statuses(it, await routes(it), host=host) == {421}


async def test_another_name_is_not_let_in_on_loopback_with_a_token_either() -> None:
    async with listening(with_token()) as it:
        assert await statuses(it, await routes(it), host="evil.example", authorization=header("tökén 1")) == {421}


async def test_the_address_that_is_listened_on_is_let_in() -> None:
    async with listening(Listen("127.0.0.2", 0), at="127.0.0.2") as it:
        assert await statuses(it, await routes(it), host="127.0.0.2:80") == {200}


async def test_the_host_of_the_consoles_url_is_let_in_as_a_proxy_passes_it_on() -> None:
    async with listening(Listen(port=0, known_as="guard.example.com")) as it:
        for host, status in {
            "guard.example.com": 200,
            "Guard.example.com:443": 200,
            "x.guard.example.com": 421,
        }.items():
            assert await statuses(it, await routes(it), host=host) == {status}
        assert await statuses(it, await routes(it), host="localhost") == {200}


async def test_a_host_header_without_a_name_is_not_let_in_where_nobody_named_the_console() -> None:
    async with listening(Listen(port=0, known_as="")) as it:
        assert await statuses(it, await routes(it), host="") == {421}


async def test_beyond_loopback_any_name_is_let_in_with_the_token() -> None:
    async with listening(with_token(EVERYWHERE)) as it:
        assert await statuses(it, await routes(it), host="guard.example", authorization=header("tökén 1")) == {200}
        assert await statuses(it, await routes(it), host="guard.example") == {401}


# --- the token -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_the_token_opens_every_route(scheme: str) -> None:
    async with listening(with_token()) as it:
        assert await statuses(it, await routes(it), authorization=header("tökén 1", scheme=scheme)) == {200}


@pytest.mark.parametrize("user", ["", "ann", "tökén 2"])
async def test_the_token_is_the_password_of_any_user_as_browsers_ask_for_one(user: str) -> None:
    async with listening(with_token()) as it:
        assert await statuses(it, await routes(it), authorization=basic(f"{user}:tökén 1")) == {200}
        assert await statuses(it, await routes(it), authorization=basic(f"{user}:tökén 1", scheme="basic")) == {200}
    async with listening(Listen(port=0, token="with:colons:")) as it:
        assert await statuses(it, ["/"], authorization=basic(f"{user}:with:colons:")) == {200}


async def test_who_has_no_token_is_asked_for_one_in_both_ways() -> None:
    async with listening(with_token()) as it:
        assert (await it.ask("/")).headers["www-authenticate"] == (
            'Basic realm="quota-guard", charset="UTF-8", Bearer realm="quota-guard"'
        )


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Bearer", "Bearer ", header("tökén 2"), header("tökén"), header("tökén 11"), header("TÖKÉN 1")),
        *(header("tökén 1", scheme="Basic"), basic("ann:tökén 2"), basic("tökén 1"), basic("ann:"), basic(""), "Basic"),
        *(
            basic("tökén 1:ann"),
            basic("ann:tökén 1") + "x",
            basic("ann:tökén 1", scheme="Bearer"),
            "tökén 1",
            "Bearer tökén 1",
            f"{header('tökén 1')}, {header('x')}",
        ),
    ],
)
async def test_without_the_token_no_route_opens(authorization: str) -> None:
    async with listening(with_token()) as it:
        headers = {"authorization": authorization} if authorization else {}
        assert await statuses(it, [*await routes(it), "/nothing-here"], **headers) == {401}
        answer = await it.ask(**headers)
        assert answer.headers["www-authenticate"] == ", ".join(CHALLENGES)
        assert "1" not in answer.body


async def test_a_token_in_the_address_does_not_count() -> None:
    async with listening(Listen(port=0, token="t0ken")) as it:
        assert await statuses(it, [f"{path}?token=t0ken&access_token=t0ken" for path in await routes(it)]) == {401}


async def test_what_is_no_request_does_not_come_through() -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match="websocket does not come through this door"):
        await Door(app, FREE)({"type": "websocket"}, receive, send)
