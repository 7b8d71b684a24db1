"""Training: a checked spec, its data, and a folder that holds all that came of it.

TensorFlow is imported by the calls, not by the modules that the command line needs (`run`, `log`, `strategy`,
`progress`). docs/training.md says how the parts work together.
"""
