"""Figures of networks: a style makes a scene of checked programs, which is written as SVG, PNG, PDF, TikZ or HTML."""

from netc.figures.drawing import Drawing
from netc.figures.options import Options
from netc.figures.styles import STYLES, FigureError

__all__ = ["STYLES", "Drawing", "FigureError", "Options"]
