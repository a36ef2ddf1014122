/** Numbers as people read them in tables and on axes. */
import type { Measurement } from '@collimate/core'

/** Three significant digits, at most two places after the point from 1 on: `0.0123`, `1.23`, `12.3`, `123`. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size !== 0 && size < 1e-3) return minus(value.toExponential(1))
  const places = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 || size === 0 ? 2 : 3
  return minus(value.toFixed(places))
}

/** A tick of an axis, without digits that say nothing. */
export const tick = (value: number): string => minus(String(Number(value.toPrecision(3))))

export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`

/** `1.2 k`, `3.4 M`: counts. */
export function count(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} G`
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`
  if (value >= 1e4) return `${(value / 1e3).toFixed(0)} k`
  if (value >= 1e3) return `${(value / 1e3).toFixed(1)} k`
  return String(Math.round(value))
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `[low, high]`; nothing where there is no interval. */
export function interval({ low, high }: Measurement, write: (value: number) => string = short): string {
  return low === undefined || high === undefined ? '' : `[${write(low)}, ${write(high)}]`
}

/** The sign that is as wide as a digit. */
const minus = (text: string): string => text.replace('-', '−')
