import { availableParallelism, cpus } from 'node:os'
import { Command } from 'commander'
import { errorLine } from '@collimate/core'
import { ours, type Provider } from './ours.js'
import { startPeer } from './peer.js'
import type { Measured, Peer } from './peer.js'
import { modelConfig, shapes } from './shapes.js'

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

/** Floating-point operations of a piece of work, by the usual 2 and 6 N a token. */
function operationsOf(work: string, tokens: number, parameters: number): number {
  if (work === 'matmul') return 2 * 1024 ** 3
  if (work.startsWith('decode')) return 2 * parameters * tokens
  const reference = work.startsWith('dpo') && !work.includes('precomputed') ? 2 : 0
  return (6 + reference) * parameters * tokens
}

/** Seconds for the tokens of `tokens`, where sampling has given another number of them. */
const secondsFor = (tokens: number, measured: Measured): number =>
  tokens > 0 ? (measured.seconds * tokens) / measured.tokens : measured.seconds

/** A backend with the settings that are given and that it takes. */
const providerOf = (
  use: string,
  { device, precision, threads }: { device?: string | undefined; precision?: string | undefined; threads: number },
): Provider => ({
  use,
  ...(device && { device }),
  ...(precision && { precision }),
  ...(use === 'onnx' && { threads }),
})

/** The same work on several providers, taking turns in one run; speeds are ratios to the first. */
async function benchProviders(
  list: string,
  { only, rounds, threads, json }: { only?: string; rounds: number; threads: number; json?: boolean },
): Promise<void> {
  const names = list.split(',').map((name) => name.trim())
  const milliseconds: Record<string, Record<string, number[]>> = {}
  const providers = await Promise.all(
    names.map(async (name) => {
      const [use = '', device, precision] = name.split(/\s+/)
      return { name, ...(await ours(providerOf(use, { device, precision, threads }))) }
    }),
  )
  try {
    const works = Object.keys(providers[0]!.work).filter((work) => !only || work.includes(only))
    for (let round = 0; round <= rounds; round++)
      for (const work of works)
        for (const provider of providers) {
          process.stderr.write(`round ${round} of ${rounds}: ${work} on ${provider.name}\n`)
          const start = performance.now()
          await provider.work[work]!()
          // The first round compiles.
          if (round > 0) ((milliseconds[work] ??= {})[provider.name] ??= []).push(performance.now() - start)
        }
    const rows = works.map((work) => {
      const times = names.map((name) => milliseconds[work]![name]!)
      const slower = times.map((own) => median(own.map((ms, round) => ms / times[0]![round]!)))
      return { work, ms: times.map(median), times: slower }
    })
    if (json) return void process.stdout.write(`${JSON.stringify({ providers: names, rounds, rows }, null, 1)}\n`)
    printColumns([
      ['work', ...names.map((name, i) => (i === 0 ? `${name}, ms` : name))],
      ...rows.map(({ work, ms, times }) => [
        work,
        ...times.map((ratio, i) => (i === 0 ? ms[0]!.toFixed(1) : `${ratio.toFixed(1)}x as long`)),
      ]),
    ])
  } finally {
    for (const { close } of providers) await close()
  }
}

/**
 * One side's turn: first a pause, because idle OpenMP threads of the other side go on spinning for a while; then the work,
 * warm, the median of three (of eleven for the short matmul).
 */
async function turn(work: string, measure: () => Promise<Measured>): Promise<Measured> {
  await new Promise((resolve) => setTimeout(resolve, 400))
  const { tokens } = await measure()
  const seconds: number[] = []
  for (let i = 0; i < (work === 'matmul' ? 11 : 3); i++) seconds.push(secondsFor(tokens, await measure()))
  return { seconds: median(seconds), tokens }
}

interface Row {
  readonly work: string
  readonly seconds: number
  readonly tokens: number
  readonly tokensPerSecond: number
  readonly gigaflops: number
  /** Of the matmul rate measured in the same run. */
  readonly share: number
  /** Peer's seconds over ours, median of the rounds' ratios: above 1, ours is faster. */
  readonly ratio?: number
  readonly peerTokensPerSecond?: number
}

async function bench(options: {
  peer?: string
  rounds: number
  threads: number
  backend: string
  device: string
  precision?: string
  only?: string
  json?: boolean
}): Promise<void> {
  const say = (line: string): void => void (options.json ? process.stderr : process.stdout).write(`${line}\n`)
  const { precision } = options
  const mine = await ours(providerOf(options.backend, options))
  let peer: Peer | undefined
  try {
    const { threads, device } = options
    if (options.peer) peer = await startPeer(options.peer, { ...shapes, threads, device, model: modelConfig })
    say(
      `${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads, ${device}; ${mine.parameters.toLocaleString('en')} parameters, ${precision ?? 'float32'}`,
    )
    if (peer) say(`beside ${peer.versions}`)
    const peers = (work: string): string => work.replace(/ \(.*/, '')
    const works = Object.keys(mine.work).filter(
      (work) => work === 'matmul' || !options.only || work.includes(options.only),
    )
    const seconds: Record<string, number[]> = {}
    const tokens: Record<string, number> = {}
    const ratios: Record<string, number[]> = {}
    const peerSeconds: Record<string, number[]> = {}
    for (const work of works)
      for (let i = 0; i < 2; i++) {
        await mine.work[work]!()
        await peer?.measure(peers(work))
      }
    for (let round = 0; round < options.rounds; round++) {
      say(`round ${round + 1} of ${options.rounds}`)
      for (const work of works) {
        const own = await turn(work, async () => {
          const start = performance.now()
          const counted = await mine.work[work]!()
          return { seconds: (performance.now() - start) / 1000, tokens: counted }
        })
        tokens[work] = own.tokens
        ;(seconds[work] ??= []).push(own.seconds)
        if (!peer) continue
        const other = secondsFor(own.tokens, await turn(work, () => peer!.measure(peers(work))))
        ;(peerSeconds[work] ??= []).push(other)
        ;(ratios[work] ??= []).push(other / own.seconds)
      }
    }
    const rate = (2 * 1024 ** 3) / median(seconds.matmul!)
    const rows = works.map((work): Row => {
      const s = median(seconds[work]!)
      const counted = tokens[work]!
      const operations = operationsOf(work, counted, mine.parameters)
      const extra = peer
        ? { ratio: median(ratios[work]!), peerTokensPerSecond: counted / median(peerSeconds[work]!) }
        : {}
      return {
        work,
        seconds: s,
        tokens: counted,
        tokensPerSecond: counted / s,
        gigaflops: operations / s / 1e9,
        share: operations / s / rate,
        ...extra,
      }
    })
    if (options.json)
      process.stdout.write(
        JSON.stringify({ parameters: mine.parameters, rounds: options.rounds, rows }, null, 1) + '\n',
      )
    else print(rows, peer !== undefined)
  } finally {
    peer?.close()
    await mine.close()
  }
}

function print(rows: readonly Row[], withPeer: boolean): void {
  const head = [
    'work',
    'ms',
    'tokens/s',
    'GFLOP/s',
    'of matmul',
    ...(withPeer ? ['PyTorch tokens/s', 'faster than PyTorch'] : []),
  ]
  const body = rows.map((row) => [
    row.work,
    (row.seconds * 1000).toFixed(1),
    row.tokensPerSecond ? Math.round(row.tokensPerSecond).toString() : '',
    row.gigaflops.toFixed(0),
    `${(row.share * 100).toFixed(0)} %`,
    ...(withPeer
      ? [row.peerTokensPerSecond ? Math.round(row.peerTokensPerSecond).toString() : '', `${row.ratio?.toFixed(2)}x`]
      : []),
  ])
  printColumns([head, ...body])
}

function printColumns(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  for (const cells of rows)
    process.stdout.write(
      cells.map((cell, column) => (column ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ') +
        '\n',
    )
}

const physicalCores = Math.max(1, availableParallelism())
const command = new Command('bench')
  .description('speed of a training step and of decoding, as a share of the matmul rate of the same run')
  .option('--peer <python>', 'run the same work in PyTorch beside it, with this Python (needs torch and transformers)')
  .option('--rounds <n>', 'rounds; the median counts', Number, 5)
  .option('--threads <n>', 'threads for both sides', Number, physicalCores)
  .option('--backend <name>', 'what computes on our side', 'onnx')
  .option('--device <name>', 'cpu, cuda or webgpu; PyTorch then computes on the GPU too', 'cpu')
  .option('--precision <name>', 'of matrix products on our side, where the backend offers it: float32 or float16')
  .option(
    '--providers <list>',
    'compare backends in place of the peer, e.g. "onnx cpu, tfjs wasm, onnx cuda float16"; ratios to the first',
  )
  .option('--only <text>', 'only the works whose name contains this')
  .option('--json', 'print JSON')
try {
  const options = command.parse().opts<Parameters<typeof bench>[0] & { providers?: string }>()
  if (options.providers === undefined) await bench(options)
  else await benchProviders(options.providers, options)
} catch (error) {
  process.stderr.write(`error ${errorLine(error)}\n`)
  process.exitCode = 1
}
