"""Networks on MobileNetV2."""
