"""MobileNetV2 as encoder, and depth from one picture on it."""
