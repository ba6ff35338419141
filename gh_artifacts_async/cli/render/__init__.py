"""What the command line shows: text, tables, bars and JSON; nothing here asks GitHub anything."""
