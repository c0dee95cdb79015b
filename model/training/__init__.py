"""How the weights of our own recogniser are made; nothing here runs in the service."""

import os

# Before anything imports onnxruntime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
