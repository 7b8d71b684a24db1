"""Figures of networks: a style makes a scene of checked programs, and the scene is written as SVG, PNG, PDF, HTML."""
