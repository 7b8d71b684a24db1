"""Figures of networks: a style makes a scene of checked programs, and the scene is written as SVG, PNG, PDF, HTML."""

from netc.figures.drawing import Drawing
from netc.figures.options import Options
from netc.figures.styles import STYLES, FigureError

__all__ = ["STYLES", "Drawing", "FigureError", "Options"]
