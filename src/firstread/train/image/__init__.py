"""Pictures become a pack: what the network is, how it learns, and what is fitted after it."""
