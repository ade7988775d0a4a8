"""The Django app: cases, and the steps they go through."""
