/**
 * The 16-bit floats of checkpoints: IEEE 754 binary16 (`F16`) and bfloat16 (`BF16`), as raw bits in a Uint16Array.
 * Widening is exact; narrowing rounds to nearest, ties to even.
 */

/** Values of bfloat16 bits: the upper half of a float32. */
export function fromBfloat16(bits: Uint16Array): Float32Array {
  const wide = new Uint32Array(bits.length)
  for (let i = 0; i < bits.length; i++) wide[i] = bits[i] << 16
  return new Float32Array(wide.buffer)
}

/** bfloat16 bits of float32 values; NaN stays NaN. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const wide = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const bits = new Uint16Array(values.length)
  for (let i = 0; i < bits.length; i++) {
    const word = wide[i]
    const isNaN = (word & 0x7fffffff) > 0x7f800000
    bits[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16
  }
  return bits
}

/** Values of binary16 bits. */
export function fromFloat16(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) values[i] = halfTable()[bits[i]]
  return values
}

/** binary16 bits of float32 values; beyond 65504 they become infinite, NaN stays NaN. */
export function toFloat16(values: Float32Array): Uint16Array {
  const wide = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const bits = new Uint16Array(values.length)
  for (let i = 0; i < bits.length; i++) bits[i] = halfBits(wide[i], values[i])
  return bits
}

function halfBits(word: number, value: number): number {
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00 // 65536 and more
  if (magnitude < 0x38800000) return sign | roundHalfEven(Math.abs(value) * 2 ** 24) // below 2^-14: subnormal
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
}

function roundHalfEven(x: number): number {
  const below = Math.floor(x)
  const rest = x - below
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below
}

let table: Float32Array | undefined

/** All 65,536 values of binary16, made on first use. */
function halfTable(): Float32Array {
  if (table) return table
  table = new Float32Array(65536)
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >>> 10) & 31
    const fraction = bits & 1023
    table[bits] =
      exponent === 31
        ? fraction
          ? NaN
          : sign * Infinity
        : sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24)
  }
  return table
}
