"""From TOML or flags to axes, cells and groups. Pure: no server, no clock."""
