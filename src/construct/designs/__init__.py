"""A design turns tasks into a transformer: a folder for each, a file for each layer."""
