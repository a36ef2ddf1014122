import type * as Onnx from 'onnxruntime-node'

/**
 * A session that is held by its executable and by each tensor of the device that came out of it: such a tensor cannot be read
 * or freed once its session is gone (the process ends). The last holder releases it.
 */
export class HeldSession {
  #holders = 1

  constructor(readonly session: Onnx.InferenceSession) {}

  hold(): void {
    this.#holders++
  }

  async letGo(): Promise<void> {
    if (--this.#holders === 0) await this.session.release()
  }
}
