"""The benchmark's work in PyTorch and transformers, one command at a time, so that both sides can alternate.

Reads one JSON object a line ({"work": "sft"}), does that work once and answers {"seconds": s, "tokens": n}. Model and shapes are those of
tools/bench/src/shapes.ts, given as the first line. Needs torch and transformers.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

transformers.logging.set_verbosity_error()
shapes = json.loads(sys.stdin.readline())
torch.manual_seed(0)
torch.set_num_threads(shapes["threads"])
device = "cpu" if shapes.get("device", "cpu") == "cpu" else "cuda"
torch.set_default_device(device)
config = LlamaConfig(
    hidden_size=shapes["hidden"],
    intermediate_size=shapes["intermediate"],
    num_hidden_layers=shapes["layers"],
    num_attention_heads=shapes["heads"],
    num_key_value_heads=shapes["heads"],
    vocab_size=shapes["vocabulary"],
    max_position_embeddings=shapes["context"],
    tie_word_embeddings=True,
)
policy, reference = LlamaForCausalLM(config), LlamaForCausalLM(config).eval()
optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-4)
ids = torch.randint(0, shapes["vocabulary"], (shapes["rows"], shapes["width"]))
prompt = shapes["prompt"]
a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)


def update(loss):
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def sft():
    logits = policy(ids).logits
    update(F.cross_entropy(logits[:, :-1].reshape(-1, shapes["vocabulary"]), ids[:, 1:].reshape(-1)))


def completion_logps(model):
    logps = model(ids).logits[:, :-1].log_softmax(-1)
    return logps.gather(-1, ids[:, 1:, None]).squeeze(-1)[:, prompt - 1 :].sum(-1)


def dpo():
    with torch.no_grad():
        ref = completion_logps(reference)
    h = completion_logps(policy) - ref
    half = shapes["rows"] // 2
    update(-F.logsigmoid(0.1 * (h[:half] - h[half:])).mean())


def generate(batch, **settings):
    x = ids.repeat(-(-batch // shapes["rows"]), 1)[:batch, :prompt]
    with torch.no_grad():
        y = policy.generate(x, attention_mask=torch.ones_like(x), do_sample=True, top_k=0, pad_token_id=0, **settings)
    return y[:, prompt:]


def even(batch):
    return generate(batch, max_new_tokens=shapes["newTokens"], min_new_tokens=shapes["newTokens"]).numel()


def uneven():
    """As transformers does it: batch after batch, each until its last row has ended. Counts what comes before the padding."""
    size, tokens = shapes["uneven"], 0
    for _ in range(size["prompts"] // size["batch"]):
        y = generate(size["batch"], max_new_tokens=size["newTokens"], eos_token_id=list(range(size["stops"])))
        stopped = (y < size["stops"]).int().cumsum(-1)
        tokens += ((stopped == 0) | ((stopped == 1) & (y < size["stops"]))).sum().item()
    return tokens


def synchronize():
    if device == "cuda":
        torch.cuda.synchronize()


name = torch.__version__ + (f" on {torch.cuda.get_device_name()}" if device == "cuda" else "")
print(json.dumps({"torch": name, "transformers": transformers.__version__}), flush=True)
for line in sys.stdin:
    work = json.loads(line)["work"]
    tokens = 0 if work == "matmul" else shapes["rows"] * shapes["width"]
    synchronize()
    start = time.perf_counter()
    if work == "matmul":
        a @ b
    elif work == "sft":
        sft()
    elif work == "dpo":
        dpo()
    elif work == "decode uneven":
        tokens = uneven()
    else:
        tokens = even(int(work.removeprefix("decode")))
    synchronize()
    print(json.dumps({"seconds": time.perf_counter() - start, "tokens": tokens}), flush=True)
