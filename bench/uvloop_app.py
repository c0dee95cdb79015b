"""The app on uvloop: Hypercorn imports the app before it makes its event loop.

The settings refuse `worker_class = "uvloop"`, which would come to the same: a Runner with uvloop's
loop instead of asyncio's.
"""

import asyncio

import uvloop

from app import app

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

__all__ = ["app"]
