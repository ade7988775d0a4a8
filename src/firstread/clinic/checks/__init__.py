"""The questions asked of samples, and what reads for them."""
