"""The functions that settings.toml names, a file each, and the table of error responses."""
