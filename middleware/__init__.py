"""The envelope: one plain-ASGI class a file, each built from explicit values."""
