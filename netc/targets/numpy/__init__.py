"""NumPy: a network computed slowly and plainly, to be compared with."""
