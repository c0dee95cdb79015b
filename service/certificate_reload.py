"""The service's own certificate, reloaded when its files change."""

from server.patches import ServerHandle


class CertificateReload:
    """The certificate of a server, which polls its files itself."""

    def __init__(self, server: ServerHandle) -> None:
        self._server = server

    @property
    def problem(self) -> str | None:
        """Why the newest files are not served."""
        served = self._server.certificate
        return None if served is None else served.problem

    def poll(self) -> None:
        """Do nothing: the server polls."""

    def reload(self) -> None:
        """Reload the files as they are now."""
        self._server.reload()
