"""Jobs that run by the clock: when they are due."""
