"""Responses over plain HTTP: a redirect to HTTPS, and ACME challenges."""

import re
from pathlib import Path
from urllib.parse import quote

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.errors import PlainHttpRefused
from middleware.request_context import request_context

CHALLENGES = "/.well-known/acme-challenge/"
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")  # RFC 8555 section 8.3: base64url
SAFE = "/%:@!$&'()*+,;=~-._"  # RFC 3986, section 3.3, and "%", as escapes stay
MAX_CHALLENGE_BYTES = 4096


class PlainPort:
    """Responds to requests without TLS; passes on all others.

    GET and HEAD are redirected to `origin`, not to the Host header, which a client can forge. Other
    methods are rejected: their key and image were sent unencrypted, and a redirect would hide that.

    Raises:
        PlainHttpRefused: the method is not GET or HEAD.

    """

    def __init__(self, app: ASGIApp, *, origin: str, acme_directory: Path) -> None:
        self.app = app
        self.origin = origin
        self.challenges = acme_directory / CHALLENGES.strip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["scheme"] != "http":
            await self.app(scope, receive, send)
            return
        request_context(scope).function = "plain_port"
        if scope["method"] not in {"GET", "HEAD"}:
            raise PlainHttpRefused
        response = self._challenge(scope["path"]) or self._redirect(scope)
        await response(scope, receive, send)

    def _challenge(self, path: str) -> Response | None:
        """Return the ACME key authorization at `path`; None if there is none."""
        token = path.removeprefix(CHALLENGES)
        if token == path or not TOKEN.fullmatch(token):
            return None
        try:
            with (self.challenges / token).open("rb") as file:
                content = file.read(MAX_CHALLENGE_BYTES)
        except OSError:
            return None
        return PlainTextResponse(content)

    def _redirect(self, scope: Scope) -> Response:
        raw_path = scope.get("raw_path", b"/")
        # The target may be in absolute form (GET http://... HTTP/1.1), which has no path to keep.
        path = quote(raw_path, safe=SAFE) if raw_path.startswith(b"/") else "/"
        query = quote(scope["query_string"], safe=SAFE + "?")
        return RedirectResponse(f"{self.origin}{path}{'?' + query if query else ''}", 308)
