import httpx
import pytest

from guard.agentphone.address import proxy_for
from guard.errors import ConfigError

API = httpx.URL("https://api.example/v1/usage")


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://a.example:3128"}, "http://a.example:3128"),
        ({"https_proxy": "http://a.example", "HTTPS_PROXY": "http://b.example"}, "http://a.example"),
        ({"HTTPS_PROXY": "a.example:3128"}, "http://a.example:3128"),
        ({"ALL_PROXY": "https://a.example"}, "https://a.example"),
        ({"HTTPS_PROXY": "http://a.example", "ALL_PROXY": "http://b.example"}, "http://a.example"),
        ({"HTTP_PROXY": "http://a.example"}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTPS_PROXY": "http://a.example", "NO_PROXY": "api.example"}, None),
        ({"HTTPS_PROXY": "http://a.example", "NO_PROXY": "x.test, .example"}, None),
        ({"HTTPS_PROXY": "http://a.example", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://a.example", "NO_PROXY": "other.example"}, "http://a.example"),
    ],
)
def test_the_proxy_is_the_one_that_the_environment_names(
    environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    read = proxy_for(API)
    assert read == proxy if read is None else str(read.url) == proxy


def test_a_proxy_with_a_password_keeps_it_for_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@a.example")
    read = proxy_for(API)
    assert read is not None
    assert (str(read.url), read.auth) == ("http://a.example", ("me", "hunter2"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_loopback_has_no_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://a.example")
    assert proxy_for(httpx.URL(f"http://{host}:8080/")) is None


@pytest.mark.parametrize("proxy", ["socks5://me:hunter2@a.example", "gopher://a.example", "http://[::1", "http://a:x"])
def test_a_proxy_that_cannot_be_used_is_a_mistake_that_does_not_show_its_password(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigError, match="proxy cannot be used") as caught:
        proxy_for(API)
    assert "hunter2" not in str(caught.value)
