"""A CUDA kernel against its CPU twin, on tensors, and in a graph."""

import numpy as np

import refpix.cuda


def on_device(torch, array, shift=0):
    """A tensor on the device, `shift` items behind the beginning of its memory."""
    flat = torch.empty(array.size + shift, dtype=torch.tensor(array.reshape(-1)[:0]).dtype).cuda()
    flat[shift:] = torch.tensor(array).reshape(-1).cuda()
    return flat[shift:].view(array.shape)


def assert_is_the_cpus(torch, kernel, *arrays, shift=0, **options):
    wanted = kernel(*arrays, **options)
    given = [on_device(torch, array, shift) for array in arrays]
    got = kernel(*given, **options)
    out = torch.empty_like(got)
    assert kernel(*given, out=out, **options) is out
    refpix.cuda.raise_faults()
    for result in (got, out):
        np.testing.assert_array_equal(result.cpu().numpy(), wanted)


def assert_graph_replays(torch, kernel, images, *arrays, **options):
    """Captured once, the graph works on what the images are later."""
    pixels, *given = (on_device(torch, array) for array in (images, *arrays))
    kernel(pixels, *given, **options)  # loads the module, which a capture must not
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = kernel(pixels, *given, **options)
    later = np.ascontiguousarray(images[:, ::-1])
    pixels.copy_(torch.tensor(later))
    graph.replay()
    np.testing.assert_array_equal(got.cpu().numpy(), kernel(later, *arrays, **options))
