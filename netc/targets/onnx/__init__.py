"""ONNX: a network with its weights as a file that other engines run."""
