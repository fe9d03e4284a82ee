"""DeepLabV3+: atrous pyramid and a light decoder on an encoder of stride 16."""
