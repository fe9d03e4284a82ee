"""Container files and the robot set-up, checked by reading them: no engine, no apt."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from rs_ml_perception.launching.arguments import ARGUMENTS

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / 'docker'
SETUP = ROOT / 'tools' / 'robot_setup.sh'


def instructions() -> list[tuple[str, str]]:
    """(word, rest) of each instruction of the Dockerfile, lines joined."""
    lines = (DOCKER / 'Dockerfile').read_text().splitlines()
    text = '\n'.join(line for line in lines if not line.startswith('#')).replace('\\\n', ' ')
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def of_kind(word: str) -> list[str]:
    return [rest for kind, rest in instructions() if kind == word]


@pytest.fixture(scope='module')
def compose():
    return yaml.safe_load((DOCKER / 'compose.yaml').read_text())


def services(compose):
    return compose['services'].values()


def test_copied_files_exist_and_are_not_ignored():
    ignored = (DOCKER / 'Dockerfile.dockerignore').read_text().splitlines()
    for copied in of_kind('COPY'):
        *sources, _ = copied.split()
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source.split('/')[0] not in ignored


def test_both_packages_are_copied_whole_after_their_manifests():
    """Models, launch files and configuration are inside the packages."""
    copied = [rest.split()[0] for rest in of_kind('COPY')]
    for package in ('rs_ml_msgs', 'rs_ml_perception'):
        assert copied.index(f'{package}/package.xml') < copied.index(package)


def test_the_image_is_set_up_by_the_script_for_robots():
    steps = re.findall(r'robot_setup\.sh (\w+)', ' '.join(of_kind('RUN')))
    assert steps == ['dependencies', 'python', 'build']
    functions = re.findall(r'^(\w+)\(\) \{', SETUP.read_text(), re.MULTILINE)
    assert set(steps) < set(functions)


def test_processes_do_not_run_as_root():
    kinds = [kind for kind, _ in instructions()]
    assert of_kind('USER') == ['robot']
    assert kinds.index('USER') > max(i for i, kind in enumerate(kinds) if kind in ('RUN', 'COPY'))
    # bash would answer $UID with its own number, that of root.
    assert '$UID' not in (DOCKER / 'Dockerfile').read_text()


def test_every_argument_of_the_build_is_declared(compose):
    declared = {rest.partition('=')[0] for rest in of_kind('ARG')}
    for service in services(compose):
        assert set(service['build']['args']) <= declared
        assert (DOCKER / service['build']['context'] / service['build']['dockerfile']).is_file()


def test_the_health_check_asks_the_running_nodes(compose):
    (health,) = of_kind('HEALTHCHECK')
    assert '["entrypoint.sh", "healthcheck.sh"]' in health
    script = (DOCKER / 'healthcheck.sh').read_text()
    assert '/$node/stats' in script
    for service in services(compose):
        nodes = service['environment']['NODES']
        assert f'nodes:={nodes}' in service['command']


def test_the_choice_of_middleware_is_passed_on(compose):
    """An argument without a value takes that of the caller."""
    for service in services(compose):
        assert service['environment']['RMW_IMPLEMENTATION'] is None
        assert 'ROS_DOMAIN_ID' in service['environment']


def test_every_profile_works_alone(compose):
    assert {name: s['profiles'] for name, s in compose['services'].items()} == {
        name: [name] for name in ('demo', 'camera', 'replay')
    }
    assert all(service['ipc'] == 'host' for service in services(compose))


def test_the_launch_file_knows_every_argument(compose):
    for service in services(compose):
        given = re.findall(r'(\w+):=', service['command'])
        assert given
        assert set(given) <= set(ARGUMENTS)


def test_the_demo_needs_no_files(compose):
    demo = compose['services']['demo']
    assert 'volumes' not in demo
    bag = re.search(r'bag:=(\S+)', demo['command'])[1]
    installed = '/ws/install/rs_ml_perception/share/rs_ml_perception/'
    assert bag.startswith(installed)
    assert (ROOT / 'rs_ml_perception' / bag.removeprefix(installed)).is_dir()


@pytest.mark.parametrize(
    'script', [SETUP, DOCKER / 'entrypoint.sh', DOCKER / 'healthcheck.sh', ROOT / '.ci' / 'run']
)
def test_scripts_can_be_parsed_and_run(script):
    assert script.stat().st_mode & 0o111
    done = subprocess.run(['bash', '-n', script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')


@pytest.mark.parametrize(
    ('distro', 'folders', 'arguments', 'sentence'),
    [
        ('', ['src'], [], 'ROS is not sourced'),
        ('jazzy', [], [], 'there is no src/ in'),
        ('jazzy', ['src'], ['biuld'], 'there is no step biuld: choose from dependencies'),
    ],
)
def test_set_up_names_the_problem(tmp_path, distro, folders, arguments, sentence):
    for folder in folders:
        (tmp_path / folder).mkdir()
    environment = {'PATH': '/usr/bin:/bin', 'ROS_DISTRO': distro}
    done = subprocess.run(
        [SETUP, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert sentence in done.stderr


def robot_lines() -> list[str]:
    """The commands in the README section on robots."""
    section = (ROOT / 'README.md').read_text().split('## On a robot')[1].split('\n## ')[0]
    return [line.strip() for line in section.splitlines() if line.startswith('    ')]


def test_readme_installs_a_runtime_before_it_builds():
    lines = robot_lines()
    words = ['source /opt/ros', 'rosdep install', 'venv --system-site-packages', 'colcon build']
    places = [next(i for i, line in enumerate(lines) if word in line) for word in words]
    assert places == sorted(places)
    environment = lines[places[2]]
    for package in ('openvino', 'rosbags'):
        assert package in environment
        assert package in SETUP.read_text()
    assert '.venv/bin/python -m colcon build' in lines[places[3]]
    assert lines[-1].startswith('ros2 launch rs_ml_perception perception.launch.py')
