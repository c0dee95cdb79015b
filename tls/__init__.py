"""Certificates, and what Hypercorn's transport needs to carry uploads safely."""
