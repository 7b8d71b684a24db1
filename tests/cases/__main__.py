"""`python -m tests.cases [--update] [FILE...]`: compare case files with what netc finds, or rewrite them."""

import argparse
import sys
from pathlib import Path

from tests.cases import paths, read_case, update

parser = argparse.ArgumentParser(prog="python -m tests.cases", description=__doc__)
parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="case files; all by default")
parser.add_argument("--update", action="store_true", help="write what netc finds into the files")
options = parser.parse_args()

told = []
for path in options.files or paths():
    if options.update:
        told += [f"updated {path}"] if update(path) else []
    else:
        told += read_case(path).differences()
print("\n".join(told))
sys.exit(1 if told and not options.update else 0)
