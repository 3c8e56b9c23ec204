"""Live generation, token in and token out: an engine samples, a sampler makes rollouts of it.

>>> from inspector.tokens import Transcript, vocabulary
>>> encode = vocabulary().encode_markers
>>> engine = Replay(Transcript(tuple(encode("<|channel|>final<|message|>Done.<|return|>"))), rate=None)
>>> prompt = encode("<|start|>user<|message|>Do it.<|end|><|start|>assistant")
>>> (rollout,) = run(OneShot(), engine, [prompt], SamplingParams())
>>> rollout.finish_reason, rollout.transcript().role
('stop', 'assistant')
"""

from .calls import FORMATS, Call, CallFormat
from .compare import Pair, Trap, compare_strategies, traps
from .draft import Draft, Listener
from .engine import Engine, EngineError, EngineGone
from .injected import InjectingToolLoop
from .replay import Replay
from .sampler import OneShot, Sampler, SamplerError, find_sampler, known_samplers, run
from .tool_loop import ToolLoop
from .tools import BUILTIN, Answer, Tool, Toolbox, ToolError, installed
from .values import Delta, Rollout, SamplingParams, Turn, role_after

__all__ = [
    "BUILTIN",
    "FORMATS",
    "Answer",
    "Call",
    "CallFormat",
    "Delta",
    "Draft",
    "Engine",
    "EngineError",
    "EngineGone",
    "InjectingToolLoop",
    "Listener",
    "OneShot",
    "Pair",
    "Replay",
    "Rollout",
    "Sampler",
    "SamplerError",
    "SamplingParams",
    "Tool",
    "ToolError",
    "ToolLoop",
    "Toolbox",
    "Trap",
    "Turn",
    "compare_strategies",
    "find_sampler",
    "installed",
    "known_samplers",
    "role_after",
    "run",
    "traps",
]
