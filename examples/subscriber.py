"""Prints what the detection node sees, as `python3 examples/subscriber.py` in a sourced shell."""

import rclpy

from rs_ml_msgs.msg import DetectionArray


def show(msg: DetectionArray) -> None:
    for found in msg.detections:
        where = f'{found.position.z:.2f} m away' if found.has_position else 'no depth'
        print(f'{found.label} #{found.track_id}, score {found.score:.2f}, {where}')


rclpy.init()
node = rclpy.create_node('subscriber')
node.create_subscription(DetectionArray, '/rs_ml/detection/detections', show, 10)
rclpy.spin(node)
