"""Figures for tests, and what is in them."""

import netc
from netc.figures.options import Options
from netc.figures.scene import Group, Path, Scene, Text
from netc.figures.styles import draw

VGG = ("vgg-a", "vgg-a-lrn", "vgg-b", "vgg-c", "vgg16", "vgg19")
RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


def scene(style: str, *networks: netc.Network, **options: str) -> Scene:
    return draw([network.program for network in networks], style, Options(**options))


def objects(figure: Scene) -> dict[str, Group]:
    return {item.name: item for item in figure.walk() if isinstance(item, Group) and item.name}


def texts(figure: Scene) -> list[str]:
    return [item.text for item in figure.walk() if isinstance(item, Text)]


def paths(figure: Scene, look: str) -> list[Path]:
    groups = [item for item in figure.walk() if isinstance(item, Group) and item.look == look]
    return [item for group in groups for item in group.items if isinstance(item, Path)]


def named(name: str) -> netc.Network:
    """A network of a name that the language would refuse."""
    network = netc.loads("input 32x32x3; conv 8x3 relu; pool 2; gap; fc 2 softmax")
    network.program.name = name
    return network
