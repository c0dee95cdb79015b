"""One ASGI app for Hypercorn; behind it, the Starlette app of the settings in force."""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send


class OneStackApp(Starlette):
    """A Starlette app whose middleware is exactly the list it is given.

    Starlette puts its own handling of exceptions inside all middleware. Here the list has one
    ExceptionMiddleware at the place where it is needed, so that exceptions of the middleware inside
    it get the same responses, and nothing re-raises an exception whose text Hypercorn would log.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute],
        middleware: Sequence[Middleware],
    ) -> None:
        super().__init__(routes=routes, middleware=middleware)
        # Starlette redirects /ocr/ to /ocr at the Host header's name, which a client can forge.
        self.router.redirect_slashes = False
        # Now, not with the first request: what cannot be built must not come into force.
        self.middleware_stack = self.build_middleware_stack()

    def build_middleware_stack(self) -> ASGIApp:
        """Return the router inside the given middleware, the first outermost."""
        app: ASGIApp = self.router
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        return app


class ReloadableApp:
    """The app that Hypercorn serves: passes each request to the app that is current at its start.

    The lifespan is its own: it lasts longer than any one of those apps.
    """

    def __init__(self, current: Callable[[], ASGIApp], lifespan: Lifespan[Router]) -> None:
        self._current = current
        self._lifespan = Router(lifespan=lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._lifespan if scope["type"] == "lifespan" else self._current()
        await app(scope, receive, send)
