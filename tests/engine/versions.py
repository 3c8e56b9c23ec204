"""What the vLLM of these tests has and has not: it is run with releases from 0.20 on, and they differ."""

from __future__ import annotations

import os
from typing import Final

from inspector.samplers.vllm_python import NO_FLOAT32, version_in

VERSION: Final = version_in(os.environ.get("HARMONYLENS_ENGINE", "") + "/bin/python") or (999, 0)
"""Of the vLLM in ``HARMONYLENS_ENGINE``; the newest where none is named, and these tests are skipped."""

DTYPE: Final = "float32" if VERSION >= NO_FLOAT32 else "auto"
"""Without hardware for bfloat16 float32 is several times faster; see :data:`NO_FLOAT32`."""

SCALE_OUT: Final = ["--enable-scale-out"] if VERSION >= (0, 30) else []
"""Before 0.30 ``/inference/v1/generate`` is always there, and ``vllm serve`` knows no such option."""

HAS_V2: Final = VERSION >= (0, 31)
"""Whether Model Runner V2 takes processors; before, vLLM stays with V1 for them."""

GENERATE_NAMES_ALTERNATIVES: Final = VERSION >= (0, 22)
"""Before, ``/inference/v1/generate`` gives every alternative the name of the sampled token."""

GENERATE_SAYS_STOP_REASON: Final = VERSION >= (0, 32)
"""Before, ``/inference/v1/generate`` has no such field."""

LISTS_IN_XARGS: Final = VERSION >= (0, 26)
"""Before, ``vllm_xargs`` of ``/v1/completions`` takes no lists."""

MIXED_SEEDS: Final = VERSION >= (0, 29)
"""Before, the CPU build forgets the seeds of a batch in which a request without a seed is."""

RENDERS_AS_032: Final = VERSION >= (0, 31)
"""Before, chat requests are rendered otherwise: 0.26 puts a call's recipient behind the role and writes no
``<|constrain|>``, 0.20 has none of the functions that the test calls."""
