"""What the fake GitHub holds."""
