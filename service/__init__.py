"""The composition root: builds the app, its middleware and the hardened server from settings."""
