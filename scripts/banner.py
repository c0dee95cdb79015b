"""What scripts/serve prints last: where the service is, and how to use it."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from scripts.self_check import RECEIPT, ROOT, SelfCheck
from settings import Settings

PAGE = "handlers.web:page"


def banner(settings: Settings, settings_file: Path, check: SelfCheck) -> Iterator[str]:
    """Yield the lines."""
    own_keys = bool(settings.keys)
    key_file = os.path.relpath(settings_file.resolve().parent / ".dev" / "key")
    if any(function.handler == PAGE for function in settings.enabled_functions):
        yield f"Open {check.url}/ in a browser, or send requests. Ctrl-C stops the service."
        yield ""
        if check.ca is not None:
            yield f"  browser    must trust {os.path.relpath(check.ca)}: docs/page.md says how"
    else:
        yield f"Sealed OCR serves {check.url}. Ctrl-C stops it."
        yield ""
    yield "  documents  README.md, docs/api.md"
    if own_keys:
        yield f"  API keys   [[keys]] in {settings_file.name} and its overrides"
    else:
        yield f"  API key    {key_file}, for development: valid on this machine alone"
    if check.path is None:
        return
    shown = "$SEALED_OCR_KEY" if own_keys else f"$(cat {shlex.quote(key_file)})"
    yield ""
    yield "Try it:" if own_keys else "Try it, in a second terminal in this directory:"
    yield ""
    yield (
        f'curl --http2{_certificates(settings, check.ca)} -H "X-API-Key: {shown}" '
        f"-F image=@{RECEIPT.relative_to(ROOT)} {check.url}{check.path}"
    )
    yield ""


def _certificates(settings: Settings, ca: Path | None) -> str:
    """Return curl's options for the CA, and for the certificate that a client needs."""
    trust = f" --cacert {shlex.quote(os.path.relpath(ca))}" if ca else ""
    needed = settings.tls.client_certificates == "required"
    return f"{trust} --cert FILE --key FILE" if needed else trust
