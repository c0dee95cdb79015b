"""A document on its way to the workers: its bytes, once for each worker that reads pages of it."""

import secrets
from dataclasses import dataclass, field

from distributed import Client, Future

from sealed_ocr_client.cluster.task import document


@dataclass
class Sent:
    """A file: its SHA-256, and its bytes, or the path at which the nodes find it themselves.

    The bytes are a task's result: a worker that reads a page gets them from another worker, and if
    that one is lost, they are sent again.
    """

    sha256: str
    upload: bytes | None
    path: str | None = None
    identifier: str = field(default_factory=lambda: secrets.token_hex(8))
    _future: Future[bytes] | None = None

    def on(self, client: Client) -> Future[bytes] | None:
        """Return the task of its bytes; a new one if the last one is lost. None if they stay."""
        if self.upload is None:
            return None
        future = self._future
        if future is None or future.client is not client or future.status in {"error", "cancelled"}:
            key = f"document-{self.identifier}-{secrets.token_hex(4)}"
            future = client.submit(document, self.upload, key=key, pure=False)  # type: ignore[arg-type]
            self._future = future
        return future

    def forget(self) -> None:
        """Let the workers drop the bytes."""
        self._future = None
