/** A bus as it is at run time, whatever names third parties have given types to. */
export interface AnyBus {
  emit(name: string, payload: unknown): void
  on(name: string, listener: (payload: unknown) => unknown): () => void
  onAny(listener: (name: string, payload: unknown) => unknown): () => void
  call(name: string, request: unknown): Promise<unknown>
  serve(name: string, handler: (request: unknown) => unknown): () => void
  wrap(name: string, wrapper: (request: unknown, next: (request: unknown) => Promise<unknown>) => unknown): () => void
  pending(): readonly { id: number; call: string; seconds: number }[]
}
