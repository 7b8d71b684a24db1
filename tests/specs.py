"""Which of the specs that ship costly tests try (tools/specs.py has all of them)."""

from tests.effort import EXAMPLES
from tools.specs import FUNCTIONS, ROOT, SPECS, TABLE, VARIANTS, Overrides, load, table

# One of each structure. What costs seconds a spec (figures in every style, code in every form, models built) is tried of
# these, and of every spec with `NETC_EXAMPLES`; all are checked, counted and compared with what was published.
FEW = ("alexnet", "vgg16", "resnet32", "resnet50", "googlenet", "densenet121", "mobilenetv2", "unet", "siamese")
FEW += ("digits", "mobilenetv3-small", "highway", "dcgan-discriminator")
SAMPLES = {spec: VARIANTS[spec] for spec in (VARIANTS if EXAMPLES else FEW)}
SAMPLE_FILES = [SPECS / f"{spec}.net" for spec in sorted(SAMPLES)]

__all__ = ["FUNCTIONS", "ROOT", "SAMPLES", "SAMPLE_FILES", "SPECS", "TABLE", "VARIANTS", "Overrides", "load", "table"]
