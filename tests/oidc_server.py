"""A CI that gives its jobs an identity, and an index that mints tokens for it, for tests of trusted publishing."""

from __future__ import annotations

import base64
import io
import json
import secrets
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from seatrial.index.holdings import INTEGRITY
from seatrial.index.tokens import narrow
from seatrial.standin.forms import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_TOKEN = "the-secret-that-github-gives-to-the-job"

# In the place of the uploader, whose requests to both indexes go to another address.
UPLOADER = """\
import requests.adapters

def send(adapter, request, *args, original=requests.adapters.HTTPAdapter.send, **options):
    for host in ("https://test.pypi.org/", "https://upload.pypi.org/"):
        if request.url.startswith(host):
            request.url = {url!r} + "/" + request.url[len(host):]
    return original(adapter, request, *args, **options)

requests.adapters.HTTPAdapter.send = send
from seatrial.index.uploads import uploader
uploader.main()
"""
# In the place of pypi-attestations, which needs the services of Sigstore: the form is real, the signature is not.
SIGNER = """
import base64, hashlib, json, os, pathlib, sys
command, *files = sys.argv[1:]
if command == "sign":
    assert os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    for path in map(pathlib.Path, files):
        digest = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": path.name, "digest": digest}],
            "predicateType": "https://docs.pypi.org/attestations/publish/v1",
            "predicate": None,
        }
        text = base64.b64encode(json.dumps(statement).encode()).decode()
        material = {"certificate": "", "transparency_entries": [{}]}
        whole = {
            "version": 1,
            "verification_material": material,
            "envelope": {"statement": text, "signature": "made up"},
        }
        path.with_name(path.name + ".publish.attestation").write_text(json.dumps(whole), encoding="utf-8")
else:
    assert not [name for name in os.environ if "TOKEN" in name]
    subject, _, repository, _, provenance, path = files
    assert (subject, repository) == ("pypi", "https://github.com/ada/demo")
    assert "made up" in pathlib.Path(provenance).read_text(encoding="utf-8")
    assert pathlib.Path(path).is_file()
sys.exit(0)
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
    audience: str = "testpypi"
    project: str = "demo"
    attestations: dict[str, list[Any]] = field(default_factory=dict)
    broken: bool = False  # whether no attestation is kept
    refusal: tuple[str, str] | None = None
    burning: str = "202 Accepted"
    wrongly_for: str = ""  # the audience of the identities that the CI gives, whatever was asked for
    asked: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    burnt: list[str] = field(default_factory=list)
    on_secret: Callable[[str], object] = len  # is told each secret as it is made

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        answers = {
            "/identity": self._identity,
            "/_/oidc/audience": self._audience,
            "/_/oidc/mint-token": self._mint,
            "/_/oidc/burn-token": self._burn,
        }
        if path.startswith("/integrity/"):
            return self._provenance(path.split("/")[-2], start)
        if path not in answers:
            return self.inner(self._noted(environ), start)
        self.asked.append(path)
        status, answer = answers[path](environ)
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def _noted(self, environ: WSGIEnvironment) -> WSGIEnvironment:
        """Keep the attestations of an upload, and return what is left to read for the index."""
        if environ["REQUEST_METHOD"] == "POST":
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            with parsed(environ | {"wsgi.input": io.BytesIO(body)}) as upload:
                if "attestations" in upload.fields and not self.broken:
                    self.attestations[upload.filename] = json.loads(upload.fields["attestations"])
            environ = environ | {"wsgi.input": io.BytesIO(body)}
        return environ

    def _provenance(self, filename: str, start: StartResponse) -> Iterable[bytes]:
        found = self.attestations.get(filename)
        start("200 OK" if found else "404 Not Found", [("Content-Type", INTEGRITY)])
        bundle = {"publisher": {"kind": "GitHub"}, "attestations": found}
        return [json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode()]

    def _identity(self, environ: WSGIEnvironment) -> tuple[str, Any]:
        if environ.get("HTTP_AUTHORIZATION") != f"bearer {REQUEST_TOKEN}":
            return "401 Unauthorized", {}
        (audience,) = parse_qs(environ["QUERY_STRING"])["audience"]
        return "200 OK", {"value": self._made(jwt(self.wrongly_for or audience))}

    def _audience(self, _environ: WSGIEnvironment) -> tuple[str, Any]:
        return "200 OK", {"audience": self.audience}

    def _mint(self, environ: WSGIEnvironment) -> tuple[str, Any]:
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        claims = json.loads(base64.urlsafe_b64decode(body["token"].split(".")[1] + "=="))
        refusal = self.refusal
        if claims["aud"] != self.audience:
            refusal = ("invalid-token", "the audience is another one")
        if refusal:
            code, description = refusal
            return "422 Unprocessable Entity", {"errors": [{"code": code, "description": description}]}
        now = int(time.time())
        token = self._made(narrow(self.token, [[0, now + 900, now - 60], [1, [self.project]]]))
        return "200 OK", {"success": True, "token": token, "expires": now + 900}

    def _made(self, secret: str) -> str:
        self.secrets.append(secret)
        self.on_secret(secret)
        return secret

    def _burn(self, environ: WSGIEnvironment) -> tuple[str, Any]:
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        if self.burning.startswith("202"):
            self.burnt.append(body["token"])
        return self.burning, {}


def uploader(url: str) -> tuple[str, ...]:
    """Return the command line of the uploader with `url` in the place of the public indexes."""
    return (sys.executable, "-I", "-c", UPLOADER.format(url=url))


def signer() -> tuple[str, ...]:
    """Return the command line of what stands in for pypi-attestations."""
    return (sys.executable, "-I", "-c", SIGNER)
