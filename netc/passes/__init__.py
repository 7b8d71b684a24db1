"""The passes over a lowered program."""
