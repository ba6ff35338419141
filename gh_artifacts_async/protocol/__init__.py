"""Pure rules: bytes, headers and numbers in, values out. Nothing here waits, reads a clock or a file, knows aiohttp."""
