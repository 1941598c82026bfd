"""The small process that owns a private server, from its first file to its last.

Runs in a session of its own, so that no Ctrl-C reaches it, and holds the reading end of a pipe
from the coordinator. When that pipe ends, for whatever reason (stop, crash, kill -9), or on
SIGTERM, or when the server ends by itself, it stops the server and removes the private folder.

A bare interpreter runs it, so the modules here and the packages above them import the standard
library and each other, nothing else; and at once: what it needs at its end was read at its start.
"""
