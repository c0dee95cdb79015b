"""The app on uvloop: Hypercorn imports the app before it creates its event loop.

The settings refuse `worker_class = "uvloop"`, which would have the same effect: an asyncio Runner
with uvloop's loop.
"""

import asyncio

import uvloop

from app import app

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

__all__ = ["app"]
