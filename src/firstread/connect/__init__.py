"""The world outside, one small module per service."""
