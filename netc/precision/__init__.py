"""A network in fewer bits, with a promise of what that costs: a run's metric falls by no more than was allowed.

What is promised is measured on images kept from training; layers return to float32, most harmful first, until it holds.
The test images are looked at once, afterwards. A spec without a run has no images, so that 16 bits are held to a
tolerance on noise, and 8 bits, whose scales are seen on images, are refused.
"""

from collections.abc import Mapping

FULL = "fp32"
NEEDS: Mapping[str, tuple[str, ...]] = {  # what each precision needs beside what exporting does
    FULL: (),
    "bf16": ("openvino",),
    "fp16": (),
    "int8": (),
}
MAX_DROP = 0.5  # percentage points, unless said
