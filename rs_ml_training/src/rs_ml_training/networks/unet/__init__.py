"""U-Nets that clean depth or label pixels."""
