"""The middleware stack: plain ASGI classes, each built from explicit values."""
