"""Settings of every server, and what Docker needs to run them; a package so that wheels have it."""
