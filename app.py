"""The app that `hypercorn --config settings.toml app:app` serves."""

from service.respawn import supervise

supervise()  # before more is imported: it forks

from service.app import create_app  # noqa: E402

app = create_app()
