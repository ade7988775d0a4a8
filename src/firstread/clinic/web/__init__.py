"""The pages, and their live updates."""
