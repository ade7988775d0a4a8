"""A dataset folder and a recipe become a pack folder; the only room that imports torch."""
