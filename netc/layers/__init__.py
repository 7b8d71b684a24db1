"""The operations of the language: one class each, in modules by family."""
