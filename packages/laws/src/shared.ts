/** Something that laws share: opened by the first that asks for it, closed with the suite. */
export interface Shared<T> {
  get(): Promise<T>
  /** Harmless where nobody asked, where it could not be opened (each law that asked has said so), and when repeated. */
  close(): Promise<void>
}

export function shared<T>(open: () => T | Promise<T>, close: (value: T) => unknown = () => undefined): Shared<T> {
  let opened: Promise<T> | undefined
  return {
    get: () => (opened ??= Promise.resolve().then(open)),
    async close() {
      const value = opened
      opened = undefined
      const found = await value?.then(
        (one) => ({ one }),
        () => undefined,
      )
      if (found !== undefined) await close(found.one)
    },
  }
}
