"""The specification: what must come out. It knows of no transformer."""
