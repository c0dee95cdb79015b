"""Certificates: creating, verifying and polling them, and the CAs of client certificates."""
