"""Servers that run a pack's network, spoken to in the Open Inference Protocol."""
