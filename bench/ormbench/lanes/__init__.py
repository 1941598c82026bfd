"""Binding a lane's body to connections: each kind of lane owns its unit of work."""
