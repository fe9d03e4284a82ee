"""How fast data are read and networks trained here, beside the way of the published scripts."""
