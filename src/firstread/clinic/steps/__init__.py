"""What is done with a case: one verb, one module."""
