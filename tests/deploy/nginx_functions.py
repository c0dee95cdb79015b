"""Functions that the service behind nginx has beside the shipped ones."""

HANGS = "a request hangs"
FIRST_BYTES = "the first bytes of a body are here"
LARGE_ANSWER_BYTES = 20_000_000

HANDLERS = f"""
import asyncio

from starlette.responses import PlainTextResponse


async def count(request):
    \"\"\"Count a body's bytes, and say at once that the first have come.\"\"\"
    total = 0
    async for piece in request.stream():
        if piece and not total:
            print("{FIRST_BYTES}", flush=True)
        total += len(piece)
    return PlainTextResponse(str(total))


async def large(request):
    \"\"\"Answer more than sockets hold.\"\"\"
    return PlainTextResponse(b"x" * {LARGE_ANSWER_BYTES})


async def hang(request):
    \"\"\"Answer never, and say so.\"\"\"
    print("{HANGS}", flush=True)
    await asyncio.Event().wait()


async def smuggled(request):
    \"\"\"Be what no request of the tests may reach.\"\"\"
    return PlainTextResponse("smuggled")
"""

FUNCTIONS = """
[[functions]]
path = "/count"
handler = "nginx_handlers:count"
scope = "ocr"
methods = ["POST"]

[[functions]]
path = "/guarded"
handler = "nginx_handlers:count"
scope = "ocr"
methods = ["POST"]

[[functions]]
path = "/slow"
handler = "nginx_handlers:count"
scope = "public"
methods = ["POST"]
body_timeout_s = 1

[[functions]]
path = "/hang"
handler = "nginx_handlers:hang"
scope = "public"
methods = ["GET"]

[[functions]]
path = "/late"
handler = "nginx_handlers:hang"
scope = "public"
methods = ["GET"]
body_timeout_s = 1
timeout_s = 1

[[functions]]
path = "/large"
handler = "nginx_handlers:large"
scope = "public"
methods = ["GET"]

[[functions]]
path = "/smuggled"
handler = "nginx_handlers:smuggled"
scope = "public"
methods = ["GET", "POST"]
"""
