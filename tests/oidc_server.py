"""A CI that gives its jobs an identity, and an index that mints tokens for it, for tests of trusted publishing."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tasks.tokens import narrow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AUDIENCE = "testpypi"
REQUEST_TOKEN = "the-secret-that-github-gives-to-the-job"

# A program in the place of a virtualenv's Python: it runs twine with the hosts of both indexes at another address.
TWINE = """\
#!{python} -I
import sys
import requests.adapters
from twine.__main__ import main

def send(adapter, request, *args, original=requests.adapters.HTTPAdapter.send, **options):
    for host in ("https://test.pypi.org/", "https://upload.pypi.org/"):
        if request.url.startswith(host):
            request.url = {url!r} + "/" + request.url[len(host):]
    return original(adapter, request, *args, **options)

requests.adapters.HTTPAdapter.send = send
assert sys.argv[1:4] == ["-I", "-m", "twine"]
sys.argv[:4] = ["twine"]
sys.exit(main())
"""


def jwt(audience: str, **claims: Any) -> str:
    """Return an identity for `audience`. Nobody checks its signature here."""
    parts = ({"alg": "none"}, {"aud": audience, "jti": secrets.token_hex(8), **claims}, "a signature")
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


@dataclass
class Issuer:
    """A WSGI layer around an index: the CI's identity, the audience and the mint, each as GitHub and PyPI answer."""

    inner: WSGIApplication
    token: str
    project: str = "demo"
    refusal: tuple[str, str] | None = None
    asked: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        answers = {"/identity": self._identity, "/_/oidc/audience": self._audience, "/_/oidc/mint-token": self._mint}
        if path not in answers:
            return self.inner(environ, start)
        self.asked.append(path)
        status, answer = answers[path](environ)
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def _identity(self, environ: WSGIEnvironment) -> tuple[str, Any]:
        if environ.get("HTTP_AUTHORIZATION") != f"bearer {REQUEST_TOKEN}":
            return "401 Unauthorized", {}
        (audience,) = parse_qs(environ["QUERY_STRING"])["audience"]
        self.secrets.append(jwt(audience))
        return "200 OK", {"value": self.secrets[-1]}

    def _audience(self, _environ: WSGIEnvironment) -> tuple[str, Any]:
        return "200 OK", {"audience": AUDIENCE}

    def _mint(self, environ: WSGIEnvironment) -> tuple[str, Any]:
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        claims = json.loads(base64.urlsafe_b64decode(body["token"].split(".")[1] + "=="))
        refusal = self.refusal
        if claims["aud"] != AUDIENCE:
            refusal = ("invalid-token", "the audience is another one")
        if refusal:
            code, description = refusal
            return "422 Unprocessable Entity", {"errors": [{"code": code, "description": description}]}
        now = int(time.time())
        self.secrets.append(narrow(self.token, [[0, now + 900, now - 60], [1, [self.project]]]))
        return "200 OK", {"success": True, "token": self.secrets[-1], "expires": now + 900}


def write_twine(path: Path, python: str, url: str) -> Path:
    """Write the program that runs twine against `url` instead of the public indexes; POSIX only."""
    path.write_text(TWINE.format(python=python, url=url), encoding="utf-8")
    path.chmod(0o755)
    return path
