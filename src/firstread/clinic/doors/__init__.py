"""The ways in that wait for samples by themselves."""
