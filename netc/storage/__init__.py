"""Arrays in files: what a file says it holds is looked at, and compared with what there is, before anything is read.

A few kilobytes can claim to be terabytes, and some of them, compressed, are. So each format is opened as names with
shapes and types, and each array is read when it is asked for, by a reader that knows what it wants.
"""
