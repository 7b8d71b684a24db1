"""What changed between two networks: their layers matched by what they compute, and the rest said as edits.

Names, definitions, the order of what a commutative merge joins, and where activations are written make no difference.
"""
