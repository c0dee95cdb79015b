"""Between settings.toml and the classes with explicit values that do what it says."""
