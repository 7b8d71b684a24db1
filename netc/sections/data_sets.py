"""The data sets that have names, with what a check needs to know of them.

Images reach the network as numbers from 0 to 1, whatever the file says.
"""

from __future__ import annotations

from dataclasses import dataclass

from netc.ir.shape import Shape


@dataclass(frozen=True, slots=True)
class DataSet:
    """A named data set: image shape (None where images differ), classes, and images for training and for testing."""

    name: str
    shape: Shape
    classes: int
    training: int
    test: int
    doc: str


DATA_SETS: dict[str, DataSet] = {
    data_set.name: data_set
    for data_set in (
        DataSet("digits", (8, 8, 1), 10, 1797, 0, "handwritten digits of scikit-learn (Alpaydin & Kaynak 1998)"),
        DataSet("mnist", (28, 28, 1), 10, 60000, 10000, "handwritten digits (LeCun et al. 1998)"),
        DataSet("fashion_mnist", (28, 28, 1), 10, 60000, 10000, "clothing (Xiao et al. 2017, arXiv:1708.07747)"),
        DataSet("cifar10", (32, 32, 3), 10, 50000, 10000, "small photographs (Krizhevsky 2009)"),
        DataSet("cifar100", (32, 32, 3), 100, 50000, 10000, "small photographs, fine labels (Krizhevsky 2009)"),
        DataSet("flowers17", (None, None, 3), 17, 1360, 0, "17 Category Flowers (Nilsback & Zisserman 2006)"),
    )
}
