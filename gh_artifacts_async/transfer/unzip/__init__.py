"""Through the zip: folders and members out of archives, local and remote."""
