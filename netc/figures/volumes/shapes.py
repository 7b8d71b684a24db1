"""Sizes of tensors as volumes draw and write them, those of an input of any size among them."""

from __future__ import annotations

from netc.analysis.sized import at
from netc.diagnostics.escape import harmless
from netc.figures.facts import Facts, show_extents
from netc.figures.styles import FigureError
from netc.figures.volumes.parts import Slab
from netc.figures.volumes.stages import flat
from netc.ir.net import Net
from netc.params import Refused

_USUAL = (256, 224, 512, 128, 96, 64, 299, 48, 1024)


class Shapes:
    """A network (`net`) with a size for everything, and what is written of it: numbers, or `H/4` for what is open."""

    def __init__(self, facts: Facts) -> None:
        """Raises `FigureError` for a network of open size that works at no usual one."""
        self.facts = facts
        self.net = _sized(facts.program.net)

    def sides(self, slab: Slab) -> list[str]:
        """The spatial sizes of a slab."""
        extents = self.facts.extents(slab.node.name)[:-1]
        if len(extents) != len(slab.shape) - 1:
            return [str(side) for side in slab.shape[:-1]]
        return [show_extents((extent,)) for extent in extents]

    def shown(self, slab: Slab, *, short: bool) -> str:
        """The shape of a slab: `112×112×128`, in short `112²×128`."""
        shape = slab.joined or slab.shape
        sides = self.sides(slab)
        if not sides:  # a vector, as the diagram of VGG-16 writes it
            rank = max((len(each) for each in self.net.shapes.values()), default=1) - 1
            sides = ["1"] * rank
        return flat(sides, shape[-1] or 0, short=short)


def _sized(net: Net) -> Net:
    """The network itself, or one of open size at a usual one, in whose proportions it is drawn."""
    if not any(None in shape for shape in net.shapes.values()):
        return net
    for size in _USUAL:
        try:
            return at(net, (size,))
        except Refused:
            continue
    raise FigureError(
        f"volumes have proportions, and {harmless(net.name)} works at none of the sizes {', '.join(map(str, _USUAL))}: "
        "expected one that fits, with --size"
    )
