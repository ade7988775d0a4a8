"""Models from elsewhere become packs."""
