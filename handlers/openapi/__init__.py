"""The OpenAPI document, built from the settings and types that serve."""
