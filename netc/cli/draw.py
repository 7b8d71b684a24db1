"""`netc draw`: a network as a figure."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from netc import needs
from netc.cli.endings import CLEAN, UsageError, refusing
from netc.cli.options import add, add_compiling, place, sizes, whole
from netc.cli.output import STDIO, keep, write
from netc.cli.running import inputs, load_all, need, specs
from netc.cli.training import telling, there
from netc.figures.options import COLLAPSE, DIRECTIONS, SCALES, SHAPES, Options, points
from netc.figures.styles import AUTO, GRAPHS, STYLES
from netc.figures.theme import THEMES
from netc.values import Value, show

if TYPE_CHECKING:
    from netc.program import Program

_SUFFIXES = ".svg .png .pdf .tikz .html .dot, for tables .md .tex"

DESCRIPTION = "Draw a network as its paper does. Everything shown is computed from the spec."
EXAMPLES = """\
examples:
  netc draw resnet.net                         writes resnet.svg to the current directory
  netc draw resnet.net -D n=18 -o resnet110.pdf
  netc draw vgg16.net --style volumes -o vgg16.png
  netc draw resnet34.net --style column --beside vgg19.net,plain34.net -o figure3.svg
  netc draw vgg-a.net vgg-b.net vgg16.net --style table -o table1.tex
  netc draw resnet-cifar.net --sweep n=3,5,7,9,18 --style sheet -o depths.svg
  netc draw resnet50.net --width 3.3in --bare --theme print -o figure1.pdf    for a column of a paper
  netc draw vgg16.net --width 3.3in --bare -o figure1.tikz --caption caption1.tex    in the font of the paper
  netc draw googlenet.net -o googlenet.html    a page with search, zoom and the spec beside the figure
  netc draw resnet.net --watch                 again after each change, while you write
  netc draw unet.net -o - | less               SVG to standard output

styles:
  auto     grid where maps come back to a finer resolution, or leave at several; graph for all others (default).
           What graph alone has means graph: --collapse, --expand, --shapes, --dir, --columns, --engine, .dot
""" + "".join(f"  {name:<9}{what}\n" for name, what in STYLES.items())


# What only some figures have, with the values that stand for not given; and which have what.
_PAGE = {"width": None, "height": None, "bare": False, "title": None, "dpi": None, "tikz": False, "size": None}
_COMMON = {"theme": "auto", "link": None, "id_prefix": "", **_PAGE}
_GRAPH = {"collapse": "auto", "expand": False, "shapes": "change", "direction": "tb", "columns": None}
_VOLUMES = {"scale": "sqrt", "receptive": None}
_IMAGES = {"image": None, "weights": None}  # of which pictures for slabs are made
_ALL = {**_GRAPH, **_VOLUMES, **_COMMON}
_KNOWN = {
    "graph": {*_GRAPH, *_COMMON},
    "grid": {"collapse", *_COMMON},
    "volumes": {"collapse", *_VOLUMES, *_IMAGES, *_COMMON},
    "column": {"collapse", *_COMMON},
    "graphviz": {"direction"},
}
_FLAGS = {"direction": "--dir", "id_prefix": "--id-prefix"}


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add(command, "files")
    command.add_argument("-o", "--output", metavar="OUT", help=f"where to, by its name as {_SUFFIXES}; `-` prints SVG")
    command.add_argument("--style", choices=(AUTO, *STYLES), default=AUTO, help="see below (auto)")
    command.add_argument("--theme", choices=THEMES, default="auto", help="colours; auto follows the reader's system")
    command.add_argument(
        "--beside", metavar="FILES", action="append", default=[], help="more specs, with commas, set to the left"
    )
    command.add_argument(
        "--sweep",
        type=_sweep,
        metavar="NAME=V,V",
        help="the network at each of these values of a parameter, in the styles that take several",
    )
    graph = command.add_argument_group("the style graph (grid and column know --collapse too, volumes --collapse none)")
    graph.add_argument(
        "--collapse", choices=COLLAPSE, default="auto", help="equal blocks as one with a count: auto, none, or all"
    )
    graph.add_argument("--expand", action="store_true", help="batch normalisations and activations as boxes too")
    graph.add_argument("--shapes", choices=SHAPES, default="change", help="on the lines where they change (change)")
    graph.add_argument(
        "--dir", dest="direction", choices=DIRECTIONS, default="tb", help="from top to bottom, or from left to right"
    )
    graph.add_argument(
        "--columns",
        type=whole(1, 1000),
        metavar="K",
        help="at most K columns for a long network, or rows with --dir lr (1, or by the page)",
    )
    graph.add_argument(
        "--engine",
        choices=("netc", "graphviz"),
        default="netc",
        help="who lays it out; graphviz needs `dot`, draws every layer, and knows --dir only",
    )
    volumes = command.add_argument_group("the style volumes")
    volumes.add_argument(
        "--scale",
        choices=SCALES,
        default="sqrt",
        help="sides by their square root, as they are, or by their log (sqrt)",
    )
    volumes.add_argument("--image", metavar="FILE", help="an image, on the face of the input")
    volumes.add_argument(
        "--weights", metavar="W", help="a file or a run: what each layer makes of --image, on its face"
    )
    volumes.add_argument("--receptive", metavar="LAYER", help="mark on the input what this layer sees of it")
    command.add_argument(
        "--size", type=sizes, metavar="N", help="what a `?` of the input stands for: 256, or 420x560, one for each"
    )
    page = command.add_argument_group("for a page")
    page.add_argument(
        "--width", type=_length, metavar="W", help="as wide as 3.3in, 84mm, 8.4cm or 240pt, text over 6 pt"
    )
    page.add_argument("--height", type=_length, metavar="H", help="at most so high")
    page.add_argument("--bare", action="store_true", help="without header, legend and notes")
    page.add_argument("--title", metavar="TEXT", help="in place of the network's name")
    page.add_argument(
        "--dpi", type=whole(1, 10_000), metavar="N", help="pixels an inch of a PNG (192; 300 for a page, and in print)"
    )
    page.add_argument("--tikz", action="store_true", help="a .tex file is TikZ, to be \\input by a paper, as .tikz is")
    page.add_argument(
        "--caption", metavar="OUT.tex", help="a LaTeX caption too: the numbers, and the legend and notes in words"
    )
    command.add_argument("--link", metavar="URL", help="every layer links to URL#L and its line")
    command.add_argument(
        "--id-prefix", metavar="TEXT", default="", help="before the ids, for several figures in a page"
    )
    add(command, "--stdin-filename", "--watch", "--force")
    add_compiling(command)


def run(options: argparse.Namespace) -> int:
    """Draw; 1 if a spec has errors."""
    from netc.figures.drawing import FORMATS, OWNERS, Drawing  # noqa: PLC0415 - --help needs no figure
    from netc.figures.styles import FigureError  # noqa: PLC0415

    files = specs(options.files)
    output = options.output
    if output is None:
        name = (Path(files[0]).stem or "net") + ".svg"
        output = STDIO if files[0] == STDIO else place(options, files[0], name)
    suffix = ".svg" if output == STDIO else Path(output).suffix.lower()
    if options.style == AUTO:
        options.style = _meant(options, suffix)
    _refuse_unknown(options)
    _refuse_files(options, output, suffix)
    suffix = ".tikz" if options.tikz else suffix
    if suffix not in FORMATS:
        raise UsageError(f"got `{output}`, expected a name that ends in one of {_SUFFIXES}")
    if OWNERS.get(suffix, options.style) != options.style:
        more = "; TikZ is --tikz" if suffix == ".tex" else ""
        raise UsageError(f"{suffix} is for --style {OWNERS[suffix]}, not for {options.style}{more}")
    beside = specs([path for listed in options.beside for path in listed.split(",")])
    programs = (
        _swept(options, [*beside, *files]) if options.sweep else load_all(options, [*beside, *files], models=True)
    )
    for path in filter(None, (output, options.caption)):
        keep(path, [source for program in programs for source in inputs(program)], force=options.force)
    if options.link and len(programs) > 1:
        raise UsageError("--link is for one network: lines of several are not those of one URL")
    given = {name: getattr(options, name) for name in _ALL}
    if options.image:
        given["faces"] = _faces(programs[-1], options.image, options.weights)
    elif options.weights:
        raise UsageError("--weights goes with --image: what the layers make of it")
    with refusing(FigureError):
        drawing = Drawing(tuple(programs), options.style, Options(**given))
        by_graphviz = options.engine == "graphviz"
        content = _by_graphviz(programs, suffix, options) if by_graphviz else drawing.render(suffix)
        caption = drawing.caption if options.caption else ""
    write(output, content, named=options.output is None)
    if caption:
        write(options.caption, caption)
    return CLEAN


def _swept(options: argparse.Namespace, paths: list[str]) -> list[Program]:
    """The programs of files at each value of a parameter, named after it."""
    if STDIO in paths:
        raise UsageError("--sweep reads a spec once for each value: expected a file, got `-`")
    made: list[Program] = []
    for name, value in options.sweep:
        each = argparse.Namespace(**{**vars(options), "overrides": [*options.overrides, (name, value)]})
        for program in load_all(each, paths):
            program.name = f"{program.name} {name}={show(value)}"
            made.append(program)
    return made


def _sweep(text: str) -> list[tuple[str, Value]]:
    """A parameter with each of its values, from `n=3,5,7`."""
    from netc.lower.overrides import parse_override  # noqa: PLC0415 - needs the parser

    name, _, values = text.partition("=")
    try:
        return [parse_override(f"{name}={value}") for value in values.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; a sweep is such as n=3,5,7") from None


def _meant(options: argparse.Namespace, suffix: str) -> str:
    """The style where none was given: graph for what graph alone has, else auto."""
    given = any(getattr(options, name) != _ALL[name] for name in GRAPHS)
    return "graph" if given or suffix == ".dot" or options.engine == "graphviz" else AUTO


def _length(text: str) -> float:
    """A length on a page, in points."""
    try:
        return points(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _faces(program: Program, image: str, weights: str | None) -> dict[str, bytes]:
    """An image for the input, and with weights what the layers make of it."""
    need("draw --image", needs.READING if weights else ("PIL",))
    from netc.data.errors import Unfit  # noqa: PLC0415 - with Pillow
    from netc.figures.styles import FigureError  # noqa: PLC0415
    from netc.train.faces import faces  # noqa: PLC0415 - with weights TensorFlow

    with telling(), refusing(Unfit, FigureError):
        return faces(program, there(image), there(weights) if weights else None)


def _refuse_unknown(options: argparse.Namespace) -> None:
    """End with a usage error for an option that would do nothing."""
    known = _KNOWN.get(options.engine if options.engine == "graphviz" else options.style, {*_COMMON})
    for name, missing in {**_ALL, **_IMAGES}.items():
        if name not in known and getattr(options, name) != missing:
            where = "--engine graphviz" if options.engine == "graphviz" else f"--style {options.style}"
            raise UsageError(f"{_FLAGS.get(name, f'--{name}')} does nothing with {where}")


def _refuse_files(options: argparse.Namespace, output: str, suffix: str) -> None:
    """End with a usage error for an option that would do nothing with such a file, or for another one that is it."""
    if options.tikz and suffix not in (".tex", ".tikz"):
        raise UsageError(f"--tikz is for an output that ends in .tex, got `{output}`")
    if options.dpi is not None and suffix != ".png":
        raise UsageError(f"--dpi is for an output that ends in .png, got `{output}`")
    if options.caption is None:
        return
    if options.engine == "graphviz":
        raise UsageError("--caption does nothing with --engine graphviz")
    if Path(options.caption).suffix.lower() != ".tex":
        raise UsageError(f"--caption got `{options.caption}`, expected a name that ends in .tex")
    if os.path.realpath(options.caption) == os.path.realpath(output):
        raise UsageError(f"got `{output}` for the figure and for its --caption, expected two files")


def _by_graphviz(programs: list[Program], suffix: str, options: argparse.Namespace) -> str | bytes:
    """The graph as Graphviz' `dot` lays it out."""
    from netc.figures.dot import layout  # noqa: PLC0415 - imports graphviz

    if options.style != "graph" or len(programs) > 1:
        raise UsageError("--engine graphviz draws one network in the style graph")
    return layout(programs[0], suffix, options.direction)
