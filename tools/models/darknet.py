"""Texts of Darknet as one writes them of published networks (Redmon & Farhadi 2017, 2018)."""

from __future__ import annotations

from pathlib import Path

from tools.models import Made

NAMES = ("darknet19", "darknet53", "yolov3")


def net(size: int) -> str:
    head = "[net]\nbatch=1\nsubdivisions=1\nworkspace_size_limit_MB=512\n"
    return f"{head}width={size}\nheight = {size}\nchannels=3\nmomentum=0.9\nsteps=1,2\n\n"


def conv(filters: int, size: int, stride: int = 1, activation: str = "leaky", normalised: bool = True) -> str:
    head = "batch_normalize=1\n" * normalised
    return f"[convolutional]\n{head}filters={filters}\nsize={size}\nstride={stride}\npad=1\nactivation={activation}\n\n"


def darknet53(size: int = 256) -> str:
    """The backbone, without its classifier."""
    text = net(size) + conv(32, 3)
    for filters, count in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        unit = conv(filters // 2, 1) + conv(filters, 3) + "[shortcut]\nfrom=-3\nactivation=linear\n\n"
        text += conv(filters, 3, 2) + unit * count
    return text


def classified(text: str) -> str:
    return text + "[avgpool]\n\n[convolutional]\nfilters=1000\nsize=1\nactivation=linear\n\n[softmax]\ngroups=1\n"


def darknet19() -> str:
    text = net(224) + conv(32, 3)
    for filters, count in ((64, 1), (128, 3), (256, 3), (512, 5), (1024, 5)):
        layers = [conv(filters, 3) if at % 2 == 0 else conv(filters // 2, 1) for at in range(count)]
        text += "[maxpool]\nsize=2\nstride=2\n\n" + "".join(layers)
    head = "[convolutional]\nfilters=1000\nsize=1\nstride=1\npad=1\nactivation=linear\n\n"
    return text + head + "[avgpool]\n\n[softmax]\ngroups=1\n\n[cost]\ntype=sse\n"


def yolov3() -> str:
    yolo = "[yolo]\nmask = 0,1,2\nanchors = 10,13,  16,30\nclasses=80\nnum=9\n\n"

    def neck(filters: int) -> str:
        boxes = conv(255, 1, activation="linear", normalised=False)
        return (conv(filters, 1) + conv(2 * filters, 3)) * 3 + boxes + yolo

    def up(filters: int, skip: int) -> str:
        route = f"[route]\nlayers = -1, {skip}\n\n"
        return "[route]\nlayers = -4\n\n" + conv(filters, 1) + "[upsample]\nstride=2\n\n" + route

    return darknet53(416) + neck(512) + up(256, 61) + neck(256) + up(128, 36) + neck(128)


def make(name: str, folder: Path) -> Made:
    """The text of a network as a file."""
    text = {"darknet19": darknet19, "darknet53": lambda: classified(darknet53()), "yolov3": yolov3}[name]()
    path = folder / f"{name}.cfg"
    path.write_text(text)
    return Made(path)
