"""Pixels to lines of text, in the engine process: detect, crop, orient, recognise, order."""
