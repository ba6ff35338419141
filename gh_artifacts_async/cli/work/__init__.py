"""What the commands do; loaded only when one is run, since it brings the client and aiohttp."""
