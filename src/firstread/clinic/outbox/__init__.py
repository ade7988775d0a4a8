"""What leaves: its rows, their delivery, and when they are tried again."""
