"""The published network AllDS2020 and its way of learning, as they were described."""
