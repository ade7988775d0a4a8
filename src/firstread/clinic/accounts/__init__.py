"""People, and the programs that come in with a token."""
