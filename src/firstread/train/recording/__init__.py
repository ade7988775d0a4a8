"""Annotated recordings become a pack: the network of beats, and what is fitted after it."""
