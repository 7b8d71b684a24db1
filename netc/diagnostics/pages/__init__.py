"""One explanation page a code."""
