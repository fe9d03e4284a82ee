"""U-Nets for depth denoising and segmentation."""
