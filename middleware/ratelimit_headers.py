"""The RateLimit-Policy and RateLimit headers: draft-ietf-httpapi-ratelimit-headers-10.

Both are lists, so a header line may repeat. The draft's registry of quota units (section 10.3) has
"concurrent-requests" and none for pages; clients ignore what they do not know.
"""

from middleware.request_context import RequestContext

PAGES = "pages"
CONCURRENT = "concurrent-requests"


def add_limit(
    context: RequestContext,
    policy: str,
    quota: int,
    remaining: int,
    *,
    window_s: int | None = None,
    reset_s: int | None = None,
    unit: str | None = None,
) -> None:
    """Add what one limit allows and what is left of it, in place of what was said of it before."""
    begins = f'"{policy}";'.encode()
    context.response_headers = [
        header for header in context.response_headers if not header[1].startswith(begins)
    ]
    window = "" if window_s is None else f";w={window_s}"
    units = "" if unit is None else f';qu="{unit}"'
    reset = "" if reset_s is None else f";t={reset_s}"
    context.response_headers += [
        (b"ratelimit-policy", f'"{policy}";q={quota}{window}{units}'.encode()),
        (b"ratelimit", f'"{policy}";r={max(0, remaining)}{reset}'.encode()),
    ]
