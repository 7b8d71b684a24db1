"""The standard blocks, written in the language."""
