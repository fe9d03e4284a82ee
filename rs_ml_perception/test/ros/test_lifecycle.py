"""Transitions by any request leave a working node."""

from __future__ import annotations

import shutil
import threading

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.inference.shelf import find_model
from rs_ml_perception.nodes.detection_node import DetectionNode
from rs_ml_perception.nodes.height_node import HeightNode
from std_srvs.srv import SetBool

from rs_ml_msgs.msg import DetectionArray, FrameReport

pytestmark = pytest.mark.ros

NAME = '/rs_ml/detection'
ARTEFACT = 'mobilenet_ssd_256res_0.125_person_cat_dog_postprocess.tflite'


def change(rig, number: int, label: str = '') -> bool:
    request = ChangeState.Request(transition=Transition(id=number, label=label))
    return rig.call(ChangeState, f'{NAME}/change_state', request).success


def state(rig) -> str:
    return rig.call(GetState, f'{NAME}/get_state', GetState.Request()).current_state.label


def enable(rig, wanted: bool) -> SetBool.Response:
    return rig.call(SetBool, f'{NAME}/enable', SetBool.Request(data=wanted))


def test_a_new_node_is_unconfigured_and_subscribes_to_nothing(rig):
    node = rig.detection(autostart=False)
    assert node.phase == 'unconfigured'
    assert state(rig) == 'unconfigured'
    assert rig.observer.count_subscribers('/rs_ml/color/image_raw') == 0


@pytest.mark.parametrize('number', [99, Transition.TRANSITION_ACTIVATE, 200, 7])
def test_an_invalid_request_is_refused_and_the_node_continues(rig, number):
    node = rig.detection()
    assert not change(rig, number)
    assert not change(rig, 0, 'no such label')
    assert state(rig) == 'unconfigured'
    assert change(rig, Transition.TRANSITION_CONFIGURE)
    assert node.phase == 'inactive'


def test_all_transitions_by_requests(rig):
    node = rig.detection()
    steps = [
        (Transition.TRANSITION_CONFIGURE, 'inactive'),
        (Transition.TRANSITION_ACTIVATE, 'active'),
        (Transition.TRANSITION_DEACTIVATE, 'inactive'),
        (Transition.TRANSITION_CLEANUP, 'unconfigured'),
        (Transition.TRANSITION_CONFIGURE, 'inactive'),
        (Transition.TRANSITION_ACTIVATE, 'active'),
        (Transition.TRANSITION_ACTIVE_SHUTDOWN, 'finalized'),
    ]
    for number, after in steps:
        assert change(rig, number)
        assert state(rig) == node.phase == after
    assert not change(rig, Transition.TRANSITION_CONFIGURE)
    assert state(rig) == 'finalized'


def test_cleanup_frees(rig, fake_pipeline):
    fake = fake_pipeline()
    node = rig.started(rig.detection(fake))
    assert node.configuration.facts['model'] == 'fake 1.0'
    node.trigger_deactivate()
    assert not fake.is_closed
    node.trigger_cleanup()
    assert fake.is_closed
    assert (node.configuration, node.activation) == (None, None)
    assert rig.observer.count_publishers(f'{NAME}/detections') == 0


def test_twenty_rounds_leak_nothing(rig):
    node = rig.started(rig.detection())

    def held() -> tuple[int, ...]:
        kinds = node.subscriptions, node.publishers, node.timers, node.services
        return (*(len(list(kind)) for kind in kinds), threading.active_count())

    before = held()
    for _ in range(20):
        node.trigger_deactivate()
        rig.until(lambda: rig.observer.count_subscribers('/rs_ml/color/image_raw') == 0, 'none')
        node.trigger_activate()
        assert held() == before
    rig.until(rig.is_listening, 'subscriptions')
    rig.camera.frame(0)
    assert rig.settled(node, 1).published == 1


def test_twenty_configurations_leak_nothing(rig):
    node = rig.detection()
    node.trigger_configure()
    before = len(list(node.publishers))
    for _ in range(20):
        node.trigger_cleanup()
        node.trigger_configure()
    assert len(list(node.publishers)) == before


def test_enable_activates_and_deactivates(rig):
    node = rig.detection(autostart=False)
    for wanted, phase in [(False, 'unconfigured'), (True, 'active'), (True, 'active'),
                          (False, 'inactive'), (False, 'inactive'), (True, 'active')]:  # fmt: skip
        response = enable(rig, wanted)
        assert (response.success, response.message) == (True, phase)
        assert node.phase == state(rig) == phase


def ask(rig, srv_type, name, request):
    """Ask without waiting for the answer."""
    client = rig.observer.create_client(srv_type, name)
    rig.until(client.service_is_ready, name)
    return client.call_async(request)


@pytest.mark.parametrize('way', ['configure', 'enable'])
def test_a_model_that_loads_delays_no_other_node(rig, fake_pipeline, way):
    """One executor, as in a graph: the other node answers for its frames, this one is asked."""
    gate, fake = threading.Event(), fake_pipeline()

    def load(_):
        assert gate.wait(60.0)
        return fake

    running = rig.started(rig.detection())
    slow = type('Slow', (DetectionNode,), {'default_name': 'slow'})
    node = rig.add(slow, load=load, max_age_secs=0.0)
    if way == 'configure':
        request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
        answer = ask(rig, ChangeState, '/rs_ml/slow/change_state', request)
    else:
        answer = ask(rig, SetBool, '/rs_ml/slow/enable', SetBool.Request(data=True))
    for number in range(5):
        rig.camera.frame(number)
        assert rig.settled(running, number + 1).published == number + 1
    messages = rig.collect(DiagnosticArray, '/diagnostics')
    rig.until(lambda: any('slow' in s.name for m in messages for s in m.status), 'diagnostics')
    assert rig.set_parameter(node, 'score_threshold', 0.5).successful
    assert (node.phase, answer.done()) == ('unconfigured', False)
    gate.set()
    rig.until(answer.done, 'answer')
    assert answer.result().success
    assert node.phase == {'configure': 'inactive', 'enable': 'active'}[way]


def test_an_endless_frame_delays_no_request(rig, fake_pipeline):
    fake = fake_pipeline()
    node = rig.started(rig.detection(fake))
    reports = rig.collect(FrameReport, f'{NAME}/frames')
    results = rig.collect(DetectionArray, f'{NAME}/detections')
    rig.until(lambda: node.is_wanted('detections'), 'observer')
    fake.gate.clear()
    rig.camera.frame(0)
    rig.until(lambda: fake.entered.acquire(blocking=False), 'the frame at work')
    assert change(rig, Transition.TRANSITION_DEACTIVATE)
    assert not change(rig, Transition.TRANSITION_ACTIVATE)
    assert 'still being processed' in node.failure
    assert not fake.is_closed
    fake.gate.set()
    rig.until(lambda: node.counters.snapshot().dropped == {'superseded': 1}, 'the counts to close')
    rig.until(lambda: reports and reports[-1].detail == 'deactivated', 'report')
    assert change(rig, Transition.TRANSITION_ACTIVATE)
    rig.until(rig.is_listening, 'subscriptions')
    rig.camera.frame(1)
    assert rig.settled(node, 1).published == 1
    rig.until(lambda: results, 'result')
    assert len(results) == 1


def test_a_model_in_use_is_freed_after_its_frame(rig, fake_pipeline):
    fake = fake_pipeline()
    node = rig.started(rig.detection(fake))
    fake.gate.clear()
    rig.camera.frame(0)
    rig.until(lambda: fake.entered.acquire(blocking=False), 'the frame at work')
    node.stop(0.1)
    assert not fake.is_closed
    assert not node.has_ended(0.0)
    fake.gate.set()
    assert node.has_ended(60.0)
    rig.until(lambda: fake.is_closed, 'the model to be freed')


def broken_then_good(fake):
    """load_pipeline of a node whose first model is broken."""

    def load(parameters):
        if parameters.model == 'broken':
            raise ModelError('model broken: sha256 of model.tflite does not match its manifest')
        return fake

    return load


def last_status(messages, kind: str):
    found = [s for m in messages for s in m.status if s.name == f'rs_ml/detection: {kind}']
    return found[-1] if found else None


def test_a_failed_configure_says_why_and_can_be_repaired(rig, fake_pipeline, capfd):
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    fake = fake_pipeline()
    node = rig.add(DetectionNode, load=broken_then_good(fake), model='broken')
    assert not change(rig, Transition.TRANSITION_CONFIGURE)
    assert state(rig) == node.phase == 'unconfigured'
    errors = [line for line in capfd.readouterr().err.splitlines() if 'ERROR' in line]
    assert len(errors) == 1
    assert errors[0].endswith('cannot configure: model broken: sha256 of model.tflite does not '
                              'match its manifest')  # fmt: skip
    status = rig.until(lambda: last_status(diagnostics, 'model'), 'diagnostics')
    assert status.level == DiagnosticStatus.ERROR
    assert 'sha256' in status.message
    assert not enable(rig, True).success
    assert 'sha256' in enable(rig, True).message
    assert rig.set_parameter(node, 'model', 'good').successful
    response = enable(rig, True)
    assert (response.success, response.message) == (True, 'active')
    diagnostics.clear()
    status = rig.until(lambda: last_status(diagnostics, 'model'), 'diagnostics')
    assert (status.level, status.message) == (DiagnosticStatus.OK, 'fake 1.0')


@pytest.mark.parametrize('fault', ['a load that raises an unexpected error', 'a missing model'])
def test_no_failure_of_loading_ends_the_node(rig, capfd, fault):
    def load(_):
        raise RuntimeError('the runtime gave up')

    unforeseen = fault.startswith('a load')
    node = rig.add(DetectionNode, load=load if unforeseen else None, model='/no/such/model')
    assert not change(rig, Transition.TRANSITION_CONFIGURE)
    assert state(rig) == 'unconfigured'
    shown = capfd.readouterr().err
    assert ('Traceback' in shown) == unforeseen
    assert (
        'RuntimeError: the runtime gave up' if unforeseen else '/no/such/model'
    ) in node.failure


def test_a_damaged_model_is_one_sentence_until_it_is_repaired(rig, tmp_path, data_file, capfd):
    """A real model whose artefact lost a bit, and the repaired one."""
    real = data_file(f'models/detection/person_cat_dog_ssd/{ARTEFACT}').read_bytes()
    for path in find_model('person_cat_dog_ssd_tflite').iterdir():
        shutil.copy(path, tmp_path)
    (tmp_path / ARTEFACT).write_bytes(real[:-1] + bytes([real[-1] ^ 1]))
    node = rig.add(DetectionNode, model=str(tmp_path))
    assert not change(rig, Transition.TRANSITION_CONFIGURE)
    assert 'sha256' in node.failure
    assert ARTEFACT in node.failure
    assert 'Traceback' not in capfd.readouterr().err
    (tmp_path / ARTEFACT).write_bytes(real)
    assert change(rig, Transition.TRANSITION_CONFIGURE)
    assert node.configuration.facts['model'].startswith('person_cat_dog_ssd_tflite')
    line = capfd.readouterr().err
    words = ('model', 'backend litert', 'device cpu', 'precision float32', 'threads', 'licence')
    for word in (*words, 'input_size 256x256', 'warm_up_ms', 'inference_ms', 'rate_at_start_hz'):
        assert word in line


def test_the_height_node_needs_no_model(rig):
    node = rig.add(HeightNode)
    node.start()
    assert node.phase == 'active'
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert node.phase == 'unconfigured'


def test_autostart_false_waits_for_a_manager(rig):
    node = rig.detection(autostart=False)
    rig.spin_some()
    assert node.phase == 'unconfigured'
    assert not node.parameters.autostart
