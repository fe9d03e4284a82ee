#!/usr/bin/env bash
# Installs the nodes in a workspace with ROS sourced; the README lists the same commands:
#   cd ~/ws && source /opt/ros/jazzy/setup.bash && src/rs_ml_perception/tools/robot_setup.sh
# Arguments choose steps: dependencies, python, build.
#   RUNTIME        packages for pip, in addition to those of apt (openvino rosbags)
#   SKIP_KEYS      keys that rosdep skips, such as rviz2 on a robot without a screen
#   COLCON_ARGS    of colcon build (--symlink-install)
set -euo pipefail

fail() {
  echo "robot_setup: $*" >&2
  exit 1
}

dependencies() {  # from apt
  command -v rosdep > /dev/null || fail 'rosdep is missing: sudo apt-get install ros-dev-tools'
  rosdep update --rosdistro "$ROS_DISTRO"
  rosdep install --from-paths src --ignore-src -y ${SKIP_KEYS:+--skip-keys "$SKIP_KEYS"}
}

python() {  # from pip; NumPy keeps the version that apt's cv_bridge was compiled for
  local numpy
  numpy=$(/usr/bin/python3 -c 'import numpy; print(numpy.__version__)') ||
    fail 'numpy is missing: run the step dependencies first'
  /usr/bin/python3 -m venv --system-site-packages .venv
  # shellcheck disable=SC2086
  .venv/bin/pip install --disable-pip-version-check "numpy==$numpy" ${RUNTIME:-openvino rosbags}
}

build() {  # by that Python, so the installed executables use it
  .venv/bin/python -c 'import colcon_core' 2> /dev/null ||
    fail 'colcon is missing: sudo apt-get install ros-dev-tools'
  # shellcheck disable=SC2086
  .venv/bin/python -m colcon build ${COLCON_ARGS---symlink-install}
}

[ -n "${ROS_DISTRO:-}" ] || fail 'ROS is not sourced: source /opt/ros/<distro>/setup.bash first'
[ -d src ] || fail "there is no src/ in $PWD: run it in the folder of the workspace"
[ $# -gt 0 ] || set -- dependencies python build
for step in "$@"; do
  case $step in
    dependencies | python | build) "$step" ;;
    *) fail "there is no step $step: choose from dependencies, python, build" ;;
  esac
done
