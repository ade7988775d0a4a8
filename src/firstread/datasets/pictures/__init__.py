"""How pictures look when they are small, and which of them show the same."""
