"""Running decks."""
