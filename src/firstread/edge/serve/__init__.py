"""The HTTP reader: packs behind the protocols that laboratories, clouds and older clients speak."""
