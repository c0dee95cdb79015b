"""ONNX Runtime sessions, all with the same options."""

import functools

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

Pixels = npt.NDArray[np.uint8]  # H x W x 3, RGB
Mask = npt.NDArray[np.bool_]  # H x W
Blob = npt.NDArray[np.float32]  # N x 3 x H x W, BGR, normalised


# Kept for the first pass of a detection; larger passes allocate more and release it afterwards.
_ARENA_BYTES = 64 << 20


@functools.cache
def _share_arena() -> None:
    """Make all networks of this process allocate from one arena.

    Its first part is never released: page faults on it took a seventh of a page's time. The arena
    is extended by powers of two (0); extended by the requested size (1) it would release the first
    part, too.
    """
    ort.create_and_register_allocator(
        ort.OrtMemoryInfo(
            "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
        ),
        ort.OrtArenaCfg({"arena_extend_strategy": 0, "initial_chunk_size_bytes": _ARENA_BYTES}),
    )


class Network:
    """A network with one input and one output."""

    def __init__(self, model: bytes, *, threads: int, shrinks: bool = False) -> None:
        """Load a model; `shrinks` releases what a run added to the arena.

        ONNX Runtime's arena grows with every new shape (onnxruntime#11627), but without an arena
        the page faults of each layer double a detection's time. So it shrinks after each pass of a
        detection; for a line's few megabytes that is not worth it.
        """
        _share_arena()
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # Memory patterns are stored for every shape, and each line has another width.
        options.enable_mem_pattern = False
        # Spinning threads would take the cores that the threads of other lines need.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        options.add_session_config_entry("session.use_env_allocators", "1")
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._run_options = ort.RunOptions()
        if shrinks:
            shrink = "memory.enable_memory_arena_shrinkage"
            self._run_options.add_run_config_entry(shrink, "cpu:0")
        self._input = self._session.get_inputs()[0].name

    def run(self, blob: Blob) -> npt.NDArray[np.float32]:
        """Return the output. Several threads may call it; it releases the GIL."""
        output: npt.NDArray[np.float32]
        output = self._session.run(None, {self._input: blob}, self._run_options)[0]
        return output

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata in the model file."""
        return dict(self._session.get_modelmeta().custom_metadata_map)


class Normalisation:
    """Converts RGB bytes to a network's input values: (value / 255 - mean) / std, BGR."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self._scale = (1 / (255 * np.array(std))).astype(np.float32).reshape(3, 1, 1)
        self._shift = (np.array(mean) / np.array(std)).astype(np.float32).reshape(3, 1, 1)

    def write(self, pixels: Pixels, blob: Blob) -> None:
        """Write `pixels`, H x W x 3, to the first W columns of `blob`, 1 x 3 x H x >=W."""
        target = blob[0, :, :, : pixels.shape[1]]
        np.multiply(pixels.transpose(2, 0, 1)[::-1], self._scale, out=target)
        np.subtract(target, self._shift, out=target)
