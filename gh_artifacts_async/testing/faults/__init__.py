"""What goes wrong on purpose: scripted faults, and a proxy that harms connections."""
