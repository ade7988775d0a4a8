"""Mail: how it leaves."""
