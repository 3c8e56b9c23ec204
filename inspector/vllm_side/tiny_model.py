"""A gpt-oss of toy size with random weights: the real architecture, for tests and demonstrations without a GPU.

``python -m inspector.vllm_side.tiny_model FOLDER``, in vLLM's Python and in a checkout: some 20 seconds, 80 MB. It
speaks noise; the one that :mod:`inspector.vllm_side.train` makes speaks Harmony.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from ..tokens import CALL, ENDOFTEXT, RETURN, STARTOFTEXT
from .tokenizer import ROWS, write_tokenizer

LONGEST: Final = 4096
"""Tokens of prompt and answer together, at most."""

EOS: Final = (RETURN, ENDOFTEXT, CALL)
"""What ends an answer, in the order of gpt-oss's own generation_config.json: the first one is the tokenizer's."""


def config(*, rows: int = ROWS, hidden: int = 64) -> Any:
    """A ``GptOssConfig`` of two layers, one with the sliding window and one without, as in the large models.

    Args:
        rows: of the vocabulary.
        hidden: width of the model, and of its experts.
    """
    from transformers import GptOssConfig

    special = {"eos_token_id": RETURN, "pad_token_id": ENDOFTEXT, "bos_token_id": STARTOFTEXT}
    return GptOssConfig(
        vocab_size=rows,
        hidden_size=hidden,
        intermediate_size=hidden,
        num_hidden_layers=2,
        layer_types=["sliding_attention", "full_attention"],
        sliding_window=128,
        num_attention_heads=4,
        num_key_value_heads=2,
        # vLLM's attention on the CPU takes few sizes of heads; this is the smallest.
        head_dim=32,
        num_local_experts=4,
        num_experts_per_tok=2,
        max_position_embeddings=LONGEST,
        tie_word_embeddings=False,
        rope_parameters={
            "rope_type": "yarn",
            "rope_theta": 150_000.0,
            "factor": 32.0,
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "truncate": False,
            "original_max_position_embeddings": LONGEST,
        },
        **(special if rows > max(special.values()) else dict.fromkeys(special, 0)),
    )


def random_model(settings: Any, seed: int = 0) -> Any:
    """A ``GptOssForCausalLM`` with these settings; the same seed gives the same weights."""
    import torch
    from transformers import GptOssForCausalLM

    torch.manual_seed(seed)
    model = GptOssForCausalLM(settings)
    for name, weights in model.named_parameters():
        # transformers leaves these as the memory was.
        if "sinks" in name or "bias" in name:
            torch.nn.init.normal_(weights, std=0.02)
    return model


def save(model: Any, folder: Path) -> None:
    """Write a model in bf16 with the settings of generation that gpt-oss has, and the tokenizer, for vLLM to load.

    Raises:
        inspector.vllm_side.tokenizer.TokenizerDiffers: as :func:`inspector.vllm_side.tokenizer.write_tokenizer`.
    """
    import torch

    model.generation_config.eos_token_id = list(EOS)
    model.generation_config.pad_token_id = ENDOFTEXT
    model.generation_config.bos_token_id = STARTOFTEXT
    model.to(torch.bfloat16).save_pretrained(str(folder))
    write_tokenizer(folder, longest=LONGEST)


def main() -> None:
    """The command line: a folder, and a seed."""
    parser = argparse.ArgumentParser(description="Make a tiny gpt-oss with random weights.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    save(random_model(config(), asked.seed), asked.folder)
    print(f"A tiny gpt-oss with random weights is in {asked.folder}.")


if __name__ == "__main__":
    main()
