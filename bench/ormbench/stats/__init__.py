"""From slices to estimates with intervals; pure functions, no clock, no database."""
