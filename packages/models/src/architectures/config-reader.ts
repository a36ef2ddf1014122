import { CollimateError } from '@collimate/core'
import { isJsonObject, type JsonObject } from '../json-object.js'

/** Reads fields of a configuration with checks; messages name the file and the field's path. */
export class ConfigReader {
  constructor(
    private readonly json: JsonObject,
    private readonly source: string,
    private readonly path = '',
  ) {}

  static of(json: unknown, source: string): ConfigReader {
    if (isJsonObject(json)) return new ConfigReader(json, source)
    throw new CollimateError('COLLIMATE_MODEL_CONFIG_INVALID', `${source} does not hold a JSON object`, {
      hint: 'a model folder needs its config.json as transformers writes it',
    })
  }

  /** The value as it stands; null counts as absent. */
  raw(name: string): unknown {
    return this.json[name] ?? undefined
  }

  /** A positive integer. */
  size(name: string, fallback?: number): number {
    const value = this.raw(name) ?? fallback
    return Number.isSafeInteger(value) && (value as number) > 0
      ? (value as number)
      : this.invalid(name, 'a positive integer')
  }

  /** A positive finite number. */
  positive(name: string, fallback?: number): number {
    const value = this.raw(name) ?? fallback
    return Number.isFinite(value) && (value as number) > 0 ? (value as number) : this.invalid(name, 'a positive number')
  }

  /** A finite number. */
  number(name: string): number {
    const value = this.raw(name)
    return Number.isFinite(value) ? (value as number) : this.invalid(name, 'a number')
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.raw(name) ?? fallback
    return typeof value === 'boolean' ? value : this.invalid(name, 'true or false')
  }

  /** A string; one that is not in `allowed` is refused as unsupported. */
  choice<Value extends string>(name: string, allowed: readonly Value[], fallback?: Value): Value {
    const value = this.raw(name) ?? fallback
    if (typeof value !== 'string') return this.invalid(name, `one of ${allowed.join(', ')}`)
    return allowed.includes(value as Value) ? (value as Value) : this.unsupported(name, `known: ${allowed.join(', ')}`)
  }

  object(name: string): ConfigReader | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    return isJsonObject(value)
      ? new ConfigReader(value, this.source, `${this.path}${name}.`)
      : this.invalid(name, 'an object')
  }

  /** Number of its fields. */
  length(): number {
    return Object.keys(this.json).length
  }

  /** Refuses a value that would be of consequence: anything but absent, null or `harmless`. */
  refuse(name: string, harmless?: unknown): void {
    const value = this.raw(name)
    if (value !== undefined && value !== harmless) this.unsupported(name, 'this feature is not implemented')
  }

  invalid(name: string, wanted: string): never {
    const value = this.raw(name)
    const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`
    throw new CollimateError(
      'COLLIMATE_MODEL_CONFIG_INVALID',
      `${this.source}: "${this.path}${name}" ${found}, it must be ${wanted}`,
      { hint: 'correct the field or copy the model’s config.json again' },
    )
  }

  unsupported(name: string, reason: string): never {
    throw new CollimateError(
      'COLLIMATE_MODEL_UNSUPPORTED',
      `${this.source}: "${this.path}${name}" ${JSON.stringify(this.raw(name))} is not supported (${reason})`,
      { hint: 'choose another model' },
    )
  }
}
