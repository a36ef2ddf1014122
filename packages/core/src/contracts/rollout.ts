/** One sampled completion with everything needed to score it and to learn from it. */
export interface Rollout {
  readonly prompt: { readonly ids: Int32Array; readonly text: string }
  readonly completion: { readonly ids: Int32Array; readonly text: string }
  /** [completion length] log π at sampling. */
  readonly logProbs: Float32Array
  /** [completion length] 1 for a token that is learnt from, else 0; all 1 but where a trainer leaves a rollout out. */
  readonly mask: Uint8Array
  readonly endedBy: 'stop' | 'length'
  /** Version of the policy that sampled it. */
  readonly version: number
  readonly temperature: number
  /** Columns of the data row that the prompt came from. */
  readonly columns: Readonly<Record<string, unknown>>
}
