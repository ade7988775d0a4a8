"""Files at a web address."""
