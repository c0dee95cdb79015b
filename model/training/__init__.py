"""The training of the recogniser `sealed-crnn-v2`; nothing here runs in the service."""

import os

# Before anything imports onnxruntime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
