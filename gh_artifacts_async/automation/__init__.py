"""What bots do all day: select, read members, wait, watch, clean up, mirror, and tell what uses the storage."""
