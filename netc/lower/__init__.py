"""Syntax tree to network: names, parameters, definitions, repeats, argument binding."""
