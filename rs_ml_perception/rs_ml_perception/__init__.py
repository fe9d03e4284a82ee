"""Machine-learning perception for RealSense cameras on ROS 2."""

__version__ = '0.1.0'
