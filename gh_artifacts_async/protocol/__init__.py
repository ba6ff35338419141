"""Pure rules: bytes, headers and numbers in, values out. Nothing here waits, reads a clock, opens a file or knows aiohttp."""
