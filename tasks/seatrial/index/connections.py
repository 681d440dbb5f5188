"""Connections to indexes, which stay open: through which proxy, with which certificates, and what breaks them."""

from __future__ import annotations

import contextlib
import functools
import os
import ssl
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from seatrial.index.indexes import is_loopback
from seatrial.machine.variables import without_logins

if TYPE_CHECKING:
    from collections.abc import Mapping

FAULTS = (HTTPError, OSError, ValueError)  # what a request raises
SMALL = 1 << 16  # bytes that are read to the end, so that their connection is free again


def get(url: str, headers: Mapping[str, str], limit: float) -> urllib3.BaseHTTPResponse:
    """Return the answer to one request for `url`, unread; `limit` is in seconds between two pieces of it.

    It goes through the proxy of this machine, or past it to loopback.
    """
    parts, is_here, proxy = urlsplit(url), is_loopback(url), ""
    if not is_here and not urllib.request.proxy_bypass(parts.netloc):
        proxies = urllib.request.getproxies()
        proxy = proxies.get(parts.scheme) or proxies.get("all", "")
    certificates = (os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))
    pool = _connections(proxy, None if is_here and parts.scheme == "http" else certificates)
    return pool.request(
        "GET", url, headers=headers, redirect=False, retries=False, preload_content=False, timeout=limit
    )


def release(response: urllib3.BaseHTTPResponse) -> None:
    """Free the connection of `response` for the next request, or close it where much is left to read."""
    if 0 < (getattr(response, "length_remaining", None) or 0) <= SMALL:
        with contextlib.suppress(HTTPError, OSError):
            response.drain_conn()
    response.close()  # which does nothing to a connection that is free again


def reason(error: BaseException) -> str:
    """Return the cause of `error` that says most: that of the system, where urllib3 has wrapped it.

    It may quote the address of a proxy, which is shown without its login.
    """
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and not isinstance(inner, HTTPError) and str(inner):
            return without_logins(str(inner))
        nested = next((arg for arg in inner.args if isinstance(arg, BaseException)), None)
        inner = inner.__cause__ or inner.__context__ or nested
    return without_logins(str(error)) or type(error).__name__


@functools.cache
def _connections(proxy: str, certificates: tuple[str, str] | None) -> urllib3.PoolManager:
    options: dict[str, Any] = {"ssl_context": ssl.create_default_context() if certificates else None, "maxsize": 4}
    if not proxy:
        return urllib3.PoolManager(**options)
    scheme, _, rest = (proxy if "://" in proxy else f"http://{proxy}").partition("://")
    login, _, place = rest.rpartition("@")  # a slash in a password need not be quoted
    if login:
        user, _, password = login.partition(":")
        options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=f"{unquote(user)}:{unquote(password)}")
    return urllib3.ProxyManager(f"{scheme}://{place}", **options)
