"""A tool result returns under the name of another call, or of none.

## What it does
Tells where the author of a tool result differs from the tool that it came from. In chat completions the
name is looked up by the id of the call; a result whose call was lost is written as `functions.` and
nothing.

## Why is this bad
The model is shown a result that nobody asked for, of a tool without a name.

## Example
```text
# style: vLLM 0.32
<|channel|>analysis<|message|>Look.<|end|>
<|start|>functions.bash<|channel|>commentary to=assistant<|message|>ok<|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>analysis<|message|>Look.<|end|>
<|start|>functions.<|channel|>commentary to=assistant<|message|>ok<|end|>
```

## Fix safety
Nothing is edited: repair the transcript first: the call is most likely there, in a header that was misread.

## Where it was seen
vLLM 0.32, `parse_chat_input_to_harmony_message`, for an unknown `tool_call_id`.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS728",
    name="tool-result-unmatched",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="A tool result returns under the name of another call, or of none.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The tool result returns under another name: {change}."
