#!/bin/bash
# Healthy while each of the NODES publishes ~/stats, as it does once a second, images or not.
set -e
nodes=${NODES:-all}
[ "$nodes" = all ] && nodes=detection,height,denoise,mono_depth,segmentation
for node in ${nodes//,/ }; do
  topic=/${NAMESPACE:-rs_ml}/$node/stats
  timeout 5 ros2 topic echo --once "$topic" rs_ml_msgs/msg/InferenceStats > /dev/null ||
    { echo "nothing on $topic"; exit 1; }
done
