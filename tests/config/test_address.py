"""Which web addresses may be named."""

import pytest

from guard.config.address import address_fault, base_fault


@pytest.mark.parametrize(
    "url",
    [
        "https://api.agentphone.ai",
        "https://hooks.slack.com/services/T/B/x",
        "https://example.com:8443/",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://127.9.9.9:1/x",
        "http://[::1]:8080",
        "HTTPS://EXAMPLE.COM",
    ],
)
def test_https_is_fine_and_http_on_this_very_machine(url: str) -> None:
    assert address_fault(url) is None


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "is not a web address"),
        ("example.com", "is not a web address"),
        ("https://", "is not a web address"),
        ("https:///path", "is not a web address"),
        ("https://[::1", "is not a web address"),
        ("https://a:99999", "is not a web address"),
        ("https://a b", "is not a web address"),
        ("https://ex\u00e4mple.com", "is not a web address"),
        ("https://a\nb", "is not a web address"),
        ("http://example.com", "begins with http://"),
        ("http://10.0.0.1", "begins with http://"),
        ("http://localhost.example.com", "begins with http://"),
        ("http://127.0.0.1.example.com", "begins with http://"),
        ("ftp://example.com", "does not begin with https://"),
        ("https://me:pw@example.com", "holds a user or password"),
        ("https://me@example.com", "holds a user or password"),
        ("http://localhost@example.com", "holds a user or password"),
    ],
)
def test_any_other_address_has_a_fault(url: str, fault: str) -> None:
    assert (address_fault(url) or "").startswith(fault)


def test_paths_are_not_appended_behind_a_query() -> None:
    assert (base_fault("https://example.com/?a=b") or "").startswith("holds ? or #")
    assert (base_fault("https://example.com/#a") or "").startswith("holds ? or #")
    assert base_fault("https://example.com/a/") is None
    assert (base_fault("https://[") or "").startswith("is not a web address")
