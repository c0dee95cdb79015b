"""Certificates: making, checking and watching them, and the authorities of client certificates."""
