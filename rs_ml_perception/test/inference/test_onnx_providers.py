"""Which execution providers of onnxruntime are tried, as data: no GPU is needed."""

import pytest
from rs_ml_perception.core.errors import BackendError
from rs_ml_perception.inference.onnx_runtime import choose_providers, device_in_use

CPU, CUDA, TRT = 'CPUExecutionProvider', 'CUDAExecutionProvider', 'TensorrtExecutionProvider'
ROCM, OTHER = 'ROCMExecutionProvider', 'AzureExecutionProvider'


@pytest.mark.parametrize(
    ('available', 'wanted', 'device', 'providers'),
    [
        ([CPU], 'auto', 'cpu', [CPU]),
        ([CPU], 'cpu', 'cpu', [CPU]),
        ([OTHER, CPU], 'auto', 'cpu', [CPU]),
        ([TRT, CUDA, CPU], 'gpu', 'gpu', [TRT, CUDA, CPU]),
        ([CPU, CUDA, TRT], 'gpu', 'gpu', [TRT, CUDA, CPU]),
        ([TRT, CUDA, CPU], 'auto', 'gpu', [TRT, CUDA, CPU]),
        ([TRT, CUDA, CPU], 'cpu', 'cpu', [CPU]),
        ([CUDA, CPU], 'gpu', 'gpu', [CUDA, CPU]),
        ([ROCM, CPU], 'gpu', 'gpu', [ROCM, CPU]),
        (['OpenVINOExecutionProvider', CPU], 'npu', 'npu', ['OpenVINOExecutionProvider', CPU]),
    ],
)
def test_the_fastest_comes_first(available, wanted, device, providers):
    assert choose_providers(available, wanted) == (device, providers)


@pytest.mark.parametrize(
    ('available', 'wanted', 'said'),
    [
        ([CPU], 'gpu', "no device 'gpu' here, it has cpu"),
        ([CUDA, CPU], 'npu', "no device 'npu' here, it has gpu, cpu"),
        ([CPU], 'tpu', "no device 'tpu'"),
    ],
)
def test_a_device_that_is_not_there_is_refused(available, wanted, said):
    with pytest.raises(BackendError, match=said):
        choose_providers(available, wanted)


@pytest.mark.parametrize(
    ('used', 'chosen', 'wanted', 'device'),
    [
        ([TRT, CUDA, CPU], 'gpu', 'gpu', 'gpu'),
        ([CUDA, CPU], 'gpu', 'gpu', 'gpu'),
        ([CPU], 'cpu', 'auto', 'cpu'),
        # The libraries of the GPU are missing: the session falls back without an exception.
        ([CPU], 'gpu', 'auto', 'cpu'),
    ],
)
def test_the_device_is_that_of_the_session(used, chosen, wanted, device):
    assert device_in_use(used, chosen, wanted) == device


def test_a_fallback_to_the_cpu_is_no_gpu():
    with pytest.raises(BackendError, match='could not start TensorrtExecutionProvider or CUDA'):
        device_in_use([CPU], 'gpu', 'gpu')
