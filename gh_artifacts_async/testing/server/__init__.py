"""The hosts of the fake GitHub: its API, its storage, and what they send over the wire."""
