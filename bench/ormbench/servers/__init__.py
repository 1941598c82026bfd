"""Where a database comes from: a server that is started, pinned, read and stopped again."""
