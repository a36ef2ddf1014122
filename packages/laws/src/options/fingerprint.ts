/** Data as a text that differs wherever the data does: every bit of a number, NaN and −0 included, and every kind of array. */
export function fingerprint(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (ArrayBuffer.isView(value)) {
    const list = value instanceof DataView ? new Uint8Array(value.buffer) : (value as unknown as ArrayLike<number>)
    return `${value.constructor.name}[${Array.from(list, fingerprint).join()}]`
  }
  if (Array.isArray(value)) return `[${value.map(fingerprint).join()}]`
  if (value instanceof Map) return `Map${fingerprint([...value])}`
  if (value instanceof Set) return `Set${fingerprint([...value])}`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${fingerprint(inner)}`).join()}}`
  }
  if (typeof value === 'function') throw new TypeError('an output is data, and this one holds a function')
  return value === undefined ? 'undefined' : JSON.stringify(value)
}
