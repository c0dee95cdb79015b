"""What has been sent of a response, for the log and the audit trail."""

from starlette.types import Message, Send


class SentResponse:
    """Sends a response, and notes its status and whether all of it was sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.complete = False

    async def __call__(self, message: Message) -> None:
        """Send a message of it."""
        await self._send(message)
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)
