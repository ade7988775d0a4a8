"""What a page or an answer shows, collected in one place."""
