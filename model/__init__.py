"""Image bytes in, text out; knows no HTTP. `model.reader.Reader` is the one way in."""
