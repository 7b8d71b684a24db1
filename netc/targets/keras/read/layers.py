"""The table of all classes of Keras that are known: the way back from `lowering`."""

from __future__ import annotations

from functools import partial

from netc.targets.keras.read import activations, functions, norms, sequences, shapes, training, windows
from netc.targets.keras.read.table import TABLE, named
from netc.targets.keras.written import written

FAMILIES = (windows, norms, activations, training, shapes, sequences, functions)  # which have registered theirs
NAMED = {  # classes of netc whose options are the parameters of an operation, by their names
    "LocalResponseNormalization": "lrn",
    "SpaceToDepth": "todepth",
    "DepthToSpace": "tospace",
    "Position": "pick",
    "ChannelPadding": "padchannels",
    "ChannelShuffle": "shuffle",
    **written(),
}
KNOWN = TABLE | {f"netc>{name}": partial(named, op=op) for name, op in NAMED.items()}
