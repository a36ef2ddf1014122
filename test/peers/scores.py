"""Scores by transformers: python scores.py FOLDER '[[1, 2, 3], [4, 5]]' prints one number per row of tokens; rows are padded
to one batch where the model says with what, and computed one by one where it does not."""
import json
import sys

import torch
from transformers import AutoModelForSequenceClassification

model, loading = AutoModelForSequenceClassification.from_pretrained(
    sys.argv[1], dtype=torch.float32, output_loading_info=True
)
assert not any(loading[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), loading
assert model.config.num_labels == 1, model.config
rows = json.loads(sys.argv[2])
pad = model.config.pad_token_id
with torch.no_grad():
    if pad is None:
        logits = torch.cat([model(torch.tensor([row])).logits for row in rows])
    else:
        width = max(map(len, rows))
        ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        logits = model(ids, attention_mask=mask).logits
assert logits.shape == (len(rows), 1), logits.shape
print(json.dumps(logits[:, 0].double().tolist()))
