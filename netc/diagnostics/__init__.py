"""What netc has to say about a spec: diagnostics as data, and their renderers."""

from netc.diagnostics.codes import CODES, Code, Severity
from netc.diagnostics.model import Diagnostic, Diagnostics, Edit, Fix, Frame, Label

__all__ = ["CODES", "Code", "Diagnostic", "Diagnostics", "Edit", "Fix", "Frame", "Label", "Severity"]
