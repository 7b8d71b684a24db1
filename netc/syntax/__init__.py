"""Text to syntax tree and back: sources and spans, the parser, the tree, the formatter."""
