"""The only grammar of the language, as package data."""
