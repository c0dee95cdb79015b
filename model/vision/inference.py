"""ONNX Runtime sessions, all opened the same way."""

import functools

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

Pixels = npt.NDArray[np.uint8]  # H x W x 3, RGB
Blob = npt.NDArray[np.float32]  # N x 3 x H x W, BGR, normalised


_ARENA_BYTES = 64 << 20  # kept: a first look's; what larger looks take beyond it comes and goes


@functools.cache
def _share_arena() -> None:
    """Let all networks of this process take their memory from one arena.

    Its first part is never given back: faulted in anew for each look it cost a seventh of a page's
    time. What does not fit there is added: by powers of two (0), because where it is added as
    requested (1) the first part is given back, too.
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
        """Load a model; `shrinks` gives back what was added to the arena once a run has ended.

        ONNX Runtime's arena grows with every new shape (onnxruntime#11627) but without it each
        layer faults its memory in anew, which doubles a detection's time. So it shrinks after each
        look at a page; a line's few megabytes aren't worth it.
        """
        _share_arena()
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # Patterns are kept for every shape there has been, and each line has a width of its own.
        options.enable_mem_pattern = False
        # Spinning threads take the cores that the other lines' threads need.
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
        """Return the output. Safe to call from several threads; the GIL is free meanwhile."""
        output: npt.NDArray[np.float32]
        output = self._session.run(None, {self._input: blob}, self._run_options)[0]
        return output

    @property
    def metadata(self) -> dict[str, str]:
        """What the model's makers wrote into the file."""
        return dict(self._session.get_modelmeta().custom_metadata_map)


class Normalisation:
    """RGB bytes to the values a network was trained on: (value / 255 - mean) / std, BGR."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self._scale = (1 / (255 * np.array(std))).astype(np.float32).reshape(3, 1, 1)
        self._shift = (np.array(mean) / np.array(std)).astype(np.float32).reshape(3, 1, 1)

    def into(self, pixels: Pixels, blob: Blob) -> None:
        """Write `pixels`, H x W x 3, over the first W columns of `blob`, 1 x 3 x H x >=W."""
        target = blob[0, :, :, : pixels.shape[1]]
        np.multiply(pixels.transpose(2, 0, 1)[::-1], self._scale, out=target)
        np.subtract(target, self._shift, out=target)
