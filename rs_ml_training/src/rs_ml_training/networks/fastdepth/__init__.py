"""FastDepth: depth from one picture on MobileNet."""
