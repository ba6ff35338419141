"""Bytes over HTTP, and nothing of GitHub."""
