"""The plans that ship with ormbench, as TOML."""
