/** Numbers, times and texts as people read them. */
import type { Measurement } from '@collimate/core'

/** Four significant digits; exponents where zeros would crowd. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value)
  const size = Math.abs(value)
  if (size < 1e-3 || size >= 1e6)
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e')
  return String(Number(value.toPrecision(4)))
}

/** `1.2k`, `3.4M`: counts per second. */
export function shortCount(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)}k`
  return String(Math.round(value))
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${whole % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Metrics that are shares, shown in per cent. */
const isShare = (name: string): boolean => /(accurac(y|ies)|win_rate|fraction|clip_ratio)$/.test(name)

const unitOf = (name: string): string =>
  /(loss|entropy|kl)$/.test(name) ? ' nats' : /length$/.test(name) ? ' tokens' : ''

/** A metric with its unit: shares in per cent, losses and entropies in nats. */
export function metricValue(name: string, value: number): string {
  return isShare(name) ? `${(100 * value).toFixed(1)} %` : `${shortNumber(value)}${unitOf(name)}`
}

/** One line per measurement: name, value, 95 % interval, count; columns aligned. */
export function measurementTable(metrics: Readonly<Record<string, Measurement>>): string[] {
  const rows = Object.entries(metrics).map(([name, { value, low, high, count }]) => [
    name,
    metricValue(name, value),
    low === undefined || high === undefined ? '' : `[${bound(name, low)}, ${bound(name, high)}]`,
    count === undefined ? '' : `n = ${count}`,
  ])
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column].length)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const bound = (name: string, value: number): string =>
  isShare(name) ? `${(100 * value).toFixed(1)} %` : shortNumber(value)

const LONGEST = 600

/** A text under a label: line breaks kept and indented, control characters shown, cut where it is very long. */
export function labelled(label: string, text: string, indent: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)} ... (${text.length - LONGEST} more characters)` : text
  // Nothing that a model says may move the cursor or change colours.
  const harmless = cut.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, (c) => (c === '\t' ? '  ' : '\ufffd'))
  return `${indent}${label}${harmless.replaceAll('\n', `\n${indent}${' '.repeat(label.length)}`)}`
}
