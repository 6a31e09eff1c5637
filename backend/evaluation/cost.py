"""What a question costs, in tokens: an estimate from the length of the prompt and the answer."""

from collections.abc import Sequence

from evaluation.section import Section, mean
from evaluation.services import Asked
from evaluation.tokens import estimated


def measure(asked: Sequence[Asked]) -> Section:
    """Return the mean and the largest number of tokens that a question takes."""
    prompts = [(one.question.id, one.prompt) for one in asked if one.prompt is not None]
    read = {name: estimated(prompt.system + prompt.content) for name, prompt in prompts}
    written = {name: estimated(prompt.completion.text) for name, prompt in prompts}
    metrics = {
        "prompt_tokens_mean": mean(list(read.values())),
        "prompt_tokens_max": float(max(read.values(), default=0)),
        "answer_tokens_mean": mean(list(written.values())),
        "answer_tokens_max": float(max(written.values(), default=0)),
        "questions_without_model": float(len(asked) - len(prompts)),
    }
    largest = sorted(read, key=lambda name: -read[name])[:3]
    notes = [f"{name}: {read[name]} tokens of prompt" for name in largest]
    return Section("cost", metrics, {}, notes)
