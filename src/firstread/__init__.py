"""Firstread: a first read by a model within seconds, a final word by a specialist."""

__version__ = "0.1.0"
