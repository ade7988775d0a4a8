"""The ways in which programs ask the reader, each a module of plain functions."""
