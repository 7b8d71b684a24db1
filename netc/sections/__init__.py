"""The `data` and `train` sections: declared settings and their checks."""
