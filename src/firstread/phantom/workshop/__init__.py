"""Where the refiner of drawn phantoms is trained; the only part of this room that needs torch."""
