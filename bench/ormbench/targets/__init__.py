"""What stands at the other end: one row per driver, and how to reach it."""
