"""The app that `hypercorn --config settings.toml app:app` serves."""

from service.app import create_app

app = create_app()
