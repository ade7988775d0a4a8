"""A watched folder: what its names say, when a file is there whole, and how it is claimed."""
