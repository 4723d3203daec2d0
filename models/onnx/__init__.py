"""ONNX: export of a model, and running it in eight bits."""
