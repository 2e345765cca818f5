"""From nothing to the first event."""
