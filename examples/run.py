"""Runs a command with extensions: modules in this folder or in the current one.

    python examples/run.py tiny_network rs-ml-train depth --model tiny-depth --data ...
    python examples/run.py detr_decoder rs-ml detect photo.jpg --model MODEL_DIR --out out

Extensions (several with commas) are imported first and add their rows to tables, which the
command then reads.
"""

import importlib
import sys
from pathlib import Path

COMMANDS = {
    'rs-ml': 'rs_ml_perception.cli.main',
    'rs-ml-train': 'rs_ml_training.cli.train',
    'rs-ml-evaluate': 'rs_ml_training.cli.evaluate',
    'rs-ml-predict': 'rs_ml_training.cli.predict',
    'rs-ml-export': 'rs_ml_training.cli.export',
    'rs-ml-data': 'rs_ml_training.cli.data',
    'perception_graph': 'rs_ml_perception.nodes.perception_graph',
}


def main() -> int:
    """Import the extensions, then run the command on the remaining arguments."""
    if len(sys.argv) < 3 or sys.argv[2] not in COMMANDS:
        print(f'usage: run.py EXTENSION[,...] {"|".join(COMMANDS)} [ARGUMENT]...', file=sys.stderr)
        return 2
    _, extensions, command, *arguments = sys.argv
    sys.path.append(str(Path.cwd()))
    for extension in extensions.split(','):
        importlib.import_module(extension)
    sys.argv = [command, *arguments]
    return int(importlib.import_module(COMMANDS[command]).main())


if __name__ == '__main__':
    sys.exit(main())
