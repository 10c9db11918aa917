"""From an ONNX file to a verified TensorRT engine: graph passes, builder, verification, sidecar, cache, doctor.

Imported when first used, so that `import rfseg` stays light; `onnx` and TensorRT are imported later still.
"""
