"""The graph that a spec becomes, and the arithmetic over it."""
