"""A recording's bytes become its signal and the beats in it."""
