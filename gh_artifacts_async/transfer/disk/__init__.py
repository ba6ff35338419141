"""From bytes to a verified file under its final name."""
