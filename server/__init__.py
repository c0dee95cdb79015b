"""Hypercorn, hardened: connections, HTTP/1.1, HTTP/2 and the limits on what a client may do."""
