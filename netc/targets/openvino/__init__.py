"""OpenVINO: a network with its weights in its own format, made of the ONNX model."""
