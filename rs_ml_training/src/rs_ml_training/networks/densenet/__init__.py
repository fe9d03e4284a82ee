"""DenseNet-161, the one size that keras.applications does not have."""
