"""Rows of measurements become a pack: an additive model, and what is fitted after it."""
