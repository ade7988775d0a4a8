"""How long what came in is kept, and that it is: rounds through the store, backups, erasing."""
