"""What leaves: its rows, their delivery by one of the channels, and when they are tried again."""
