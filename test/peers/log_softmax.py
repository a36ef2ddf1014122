"""Log-probabilities of every next token by transformers: python log_softmax.py FOLDER '[1, 2, 3]' prints [positions][vocabulary]."""
import json
import sys

import torch
from transformers import AutoModelForCausalLM

model, loading = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32, output_loading_info=True)
assert not any(loading[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), loading
with torch.no_grad():
    logits = model(torch.tensor([json.loads(sys.argv[2])])).logits[0]
print(json.dumps(logits.double().log_softmax(-1).tolist()))
