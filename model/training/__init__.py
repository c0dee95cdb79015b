"""The training of the recogniser `sealed-crnn`; nothing here runs in the service."""

import os

# Before anything imports onnxruntime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
