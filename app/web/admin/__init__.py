"""For those who run the installation."""
