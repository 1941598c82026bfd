"""Proof before time: answers, states, and what the tables hold."""
