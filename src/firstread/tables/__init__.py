"""Tables as laboratories and spreadsheets write them: bytes become rows of cells, and values."""
