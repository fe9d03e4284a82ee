"""NanoDet-Plus: ShuffleNetV2, Ghost-PAN and a generalized focal head."""
