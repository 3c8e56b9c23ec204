"""What runs inside vLLM's own Python: logits processors, the offline worker, tiny models.

Nothing of the app imports this package; it is handed to vLLM by name (``inspector.vllm_side.<module>:<Class>``) or run
there with ``python -m``. It may use the floors below it, as far as they need nothing but numpy, regex, tiktoken,
oss-harmony, httpx, jsonschema and platformdirs.
"""
