"""Rows as a queue: claiming them, waking who works on them, and why they wait."""
