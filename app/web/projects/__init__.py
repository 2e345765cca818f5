"""A project: its settings and its keys."""
