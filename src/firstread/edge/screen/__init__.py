"""Whole archives: listed, fetched, read once each, and written to one table."""
