"""Where the key may go: the API's address, checked, and the proxy that the environment names for it."""

from ipaddress import ip_address
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx

from guard.errors import ConfigError

_HIGHEST_PORT: Final = 65535


def api_url(base_url: str) -> httpx.URL:
    """The address that paths are appended to; raises ConfigError where the key must not go or nothing can be asked."""
    try:
        url = httpx.URL(base_url.rstrip("/") + "/")
    except (httpx.InvalidURL, ValueError):
        raise ConfigError("base_url is not a URL; write it as https://api.agentphone.ai") from None
    if url.userinfo or url.query or url.fragment:
        raise ConfigError("base_url holds a name, a password, a query or a fragment; write scheme, host and path only")
    if not url.host or url.scheme not in {"http", "https"} or (url.port or 0) > _HIGHEST_PORT:
        raise ConfigError(f"base_url {base_url!r} is no https:// URL; write it as https://api.agentphone.ai")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigError(f"base_url {base_url!r} would send the key in the clear; http:// is for loopback only")
    return url


def is_loopback(host: str) -> bool:
    """Whether a name or address is surely this very machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """The proxy that the environment names for an address (HTTPS_PROXY, ALL_PROXY, NO_PROXY); never for loopback.

    Raises ConfigError for a proxy that cannot be used.
    """
    if is_loopback(url.host) or proxy_bypass(url.netloc.decode()):
        return None
    named = getproxies()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy:
        return None
    try:
        read = httpx.Proxy(proxy if "://" in proxy else f"http://{proxy}")
    except (httpx.InvalidURL, ValueError):
        read = None
    if read is None or read.url.scheme not in {"http", "https"}:
        raise ConfigError("the environment's proxy cannot be used; HTTP and HTTPS proxies can (HTTPS_PROXY)")
    return read
