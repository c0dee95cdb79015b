"""Requests from this machine itself, which a function may serve without a key."""

from starlette.datastructures import Headers

from middleware.addresses import is_loopback

NAME = "loopback without a key"
"""What the log calls the caller. Rate limits count it by this, which is the id of no key."""

SENT_FOR_OTHERS = (
    *("origin", "sec-fetch-site"),
    *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"),
)
"""Headers of requests that a page in a browser or a proxy has sent."""


def is_own(address: str, headers: Headers) -> bool:
    """Return whether a program on this machine has sent a request for itself.

    A page of any origin can make a browser on this machine send requests, and a proxy that nobody
    has named connects from a loopback address, too. A browser's GET has no Origin (Fetch, section
    3.2), but Sec-Fetch-Site where the connection is encrypted.
    """
    return is_loopback(address) and not any(name in headers for name in SENT_FOR_OTHERS)
