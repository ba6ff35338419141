"""Bytes over HTTP, and nothing of GitHub: sessions, connections, and the one place that maps aiohttp's exceptions."""
