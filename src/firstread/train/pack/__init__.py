"""What every kind of pack ends with: its figures, card, golden samples, and the seal."""
