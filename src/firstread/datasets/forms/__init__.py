"""The forms that labelled samples come in, one module each."""
