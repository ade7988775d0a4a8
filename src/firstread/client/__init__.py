"""The JSON API of a Firstread server from Python."""

from firstread.client.client import Client, Submitted

__all__ = ["Client", "Submitted"]
