"""What lies on disk, or as bytes in rows."""
