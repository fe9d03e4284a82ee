#!/bin/bash
# Runs the command inside the workspace, with the profile that large messages need.
set -e
source "/opt/ros/$ROS_DISTRO/setup.bash"
source /ws/install/local_setup.bash
profile=/ws/install/rs_ml_perception/share/rs_ml_perception/config/fastdds.xml
export FASTRTPS_DEFAULT_PROFILES_FILE=${FASTRTPS_DEFAULT_PROFILES_FILE:-$profile}
export FASTDDS_DEFAULT_PROFILES_FILE=${FASTDDS_DEFAULT_PROFILES_FILE:-$profile}
exec "$@"
