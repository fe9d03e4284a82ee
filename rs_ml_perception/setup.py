"""Installs the package with its launch files, configuration, models and recordings."""

import os
import sys
from pathlib import Path

from setuptools import find_packages, setup

NAME = 'rs_ml_perception'
HERE = Path(__file__).resolve().parent  # resolve: with --symlink-install colcon runs a link
sys.path.insert(0, str(HERE))
from rs_ml_perception.nodes.table import EXECUTABLES  # noqa: E402


def share(base, folder, pattern):
    """The data_files entry for base/folder/pattern, relative to the working directory."""
    files = sorted(f for f in (base / folder).glob(pattern) if f.is_file())
    if not files:
        raise FileNotFoundError(f'no {pattern} in {base / folder}: the folder is incomplete')
    return f'share/{NAME}/{folder}', [os.path.relpath(f) for f in files]


def share_tree(base, folder):
    """One entry for every folder of the tree that holds files, none where there is no tree."""
    folders = sorted({f.parent for f in (base / folder).rglob('*') if f.is_file()})
    return [share(base, str(found.relative_to(base)), '*') for found in folders]


setup(
    name=NAME,
    version='0.1.0',
    description='Machine-learning perception for Intel RealSense cameras on ROS 2',
    url='https://rs-ml-perception.org',
    author='rs_ml_perception maintainers',
    author_email='maintainers@rs-ml-perception.org',
    maintainer='rs_ml_perception maintainers',
    maintainer_email='maintainers@rs-ml-perception.org',
    license='Apache-2.0',
    license_files=['LICENSE', 'models/LICENSE.md'],
    python_requires='>=3.10',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        share(HERE, 'launch', '*.launch.py'),
        share(HERE, 'config', '*.yaml'),
        share(HERE, 'config', '*.xml'),
        share(HERE, 'config/rviz', '*.rviz'),
        *share_tree(HERE, 'config/models'),
        *share_tree(HERE, 'models'),
        *share_tree(HERE, 'recordings'),
    ],
    zip_safe=False,
    install_requires=['numpy', 'opencv-python-headless>=4.5', 'pyyaml', 'tqdm'],
    extras_require={
        'openvino': ['openvino'],
        'litert': ['ai-edge-litert'],
        'onnx': ['onnxruntime'],
        'tensorflow': ['tensorflow-cpu'],
        'bags': ['rosbags>=0.11.9'],
        'ray': ['ray'],
        'test': ['pytest', 'pytest-timeout'],
    },
    entry_points={
        'console_scripts': [
            *(f'{node} = {NAME}.executables:{node}' for node in EXECUTABLES),
            f'rs-ml = {NAME}.executables:rs_ml',
            f'rs-ml-plane-rms = {NAME}.executables:rs_ml_plane_rms',
        ],
    },
)
