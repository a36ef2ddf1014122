import type { CollimateEvents, EventName } from '@collimate/core'
import fc, { type Arbitrary } from 'fast-check'

/** An event of a run, as a tracker hears it. */
export interface RunEvent {
  readonly name: EventName
  readonly payload: unknown
}

const number = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -100, max: 100, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 1e-300, 1e300, Number.NaN, Infinity, -Infinity) },
)
const name = fc.oneof(
  fc.constantFrom('loss', 'rewards/accuracies', 'eval_loss', 'win_rate', 'mean_token_accuracy', 'grad_norm', 'epoch'),
  fc.constantFrom('', 'a/b/c', '../up', 'with space', '__proto__', 'ünï/猫', 'constructor', 'a'.repeat(300)),
)
const text = fc.oneof(
  fc.constantFrom('', 'yes', 'two\nlines', '\u001b[31mred\u0007', '| a | b |', '<b>', '"', 'a'.repeat(2000)),
  fc.string({ unit: 'binary', maxLength: 10 }),
)
const step = fc.oneof({ weight: 4, arbitrary: fc.nat(50) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1e9) })

const record = <T>(value: Arbitrary<T>): Arbitrary<Record<string, T>> =>
  fc.array(fc.tuple(name, value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries))

const measurement = fc.record(
  { value: number, low: number, high: number, count: fc.nat(99) },
  { requiredKeys: ['value'] },
)

const payloads: { readonly [Name in EventName]?: Arbitrary<CollimateEvents[Name]> } = {
  'phase.changed': fc.record(
    { phase: fc.constantFrom('loading', 'preparing', 'training', 'evaluating', 'saving', 'done', ''), detail: text },
    { requiredKeys: ['phase'] },
  ),
  'stage.changed': fc.record({
    stage: text,
    index: fc.nat(3),
    count: fc.nat(3),
    state: fc.constantFrom('running', 'skipped', 'done'),
  }),
  'progress.made': fc.record({
    phase: text,
    done: fc.nat(9),
    total: fc.nat(9),
    unit: fc.constantFrom('rows', 'pairs'),
  }),
  'metrics.logged': fc.record({
    step,
    totalSteps: fc.nat(50),
    metrics: record(number),
    tokens: fc.nat(9999),
    seconds: fc.oneof(fc.double({ min: 0, max: 10, noNaN: true }), fc.constant(0)),
  }),
  'policy.updated': fc.record({ step, version: fc.nat(50) }),
  'evaluation.finished': fc.record({ step, metrics: record(measurement) }),
  'sample.shown': fc.record({
    step,
    sample: fc.record({
      prompt: text,
      completions: record(fc.record({ text, score: number }, { requiredKeys: ['text'] })),
    }),
  }),
  'checkpoint.saved': fc.record({ step, folder: text }),
  'model.saved': fc.record({ folder: text }),
  'warning.raised': fc.record({ code: fc.constant('COLLIMATE_DATA_DROPPED'), message: text }),
  'listener.failed': fc.record({ event: fc.constantFrom('metrics.logged', 'other'), message: text }),
  'call.started': fc.record({ id: fc.nat(9), call: fc.constant('policy.update'), request: fc.anything() }),
  'call.finished': fc.record({
    id: fc.nat(9),
    call: fc.constant('policy.update'),
    seconds: fc.double({ min: 0, max: 1 }),
  }),
}

/** Events of the right types in any order, with any content: a run that goes wrong, or another kind of run. */
export const anyEvents: Arbitrary<RunEvent[]> = fc.array(
  fc.oneof(
    ...Object.entries(payloads).map(([event, payload]) =>
      (payload as Arbitrary<unknown>).map((one): RunEvent => ({ name: event as EventName, payload: one })),
    ),
  ),
  { maxLength: 20 },
)

/** A run that goes well. */
export const usualRun: Arbitrary<RunEvent[]> = fc
  .record({
    steps: fc.integer({ min: 1, max: 12 }),
    losses: fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { minLength: 12, maxLength: 12 }),
  })
  .map(({ steps, losses }) => [
    { name: 'phase.changed', payload: { phase: 'loading' } },
    { name: 'progress.made', payload: { phase: 'tokenizing', done: 3, total: 3, unit: 'rows' } },
    { name: 'phase.changed', payload: { phase: 'training' } },
    ...Array.from({ length: steps }, (_, i): RunEvent[] => [
      { name: 'policy.updated', payload: { step: i + 1, version: i + 1 } },
      {
        name: 'metrics.logged',
        payload: {
          step: i + 1,
          totalSteps: steps,
          metrics: i % 3 === 0 ? { loss: losses[i] } : {},
          tokens: 64,
          seconds: 0.1,
        },
      },
    ]).flat(),
    {
      name: 'evaluation.finished',
      payload: { step: steps, metrics: { eval_loss: { value: 1, low: 0.5, high: 1.5, count: 8 } } },
    },
    {
      name: 'sample.shown',
      payload: { step: steps, sample: { prompt: 'Q', completions: { policy: { text: 'A', score: 1 } } } },
    },
    { name: 'model.saved', payload: { folder: 'runs/x/model' } },
    { name: 'phase.changed', payload: { phase: 'done' } },
  ])

/** Events as people read them. */
export const shownEvents = (events: readonly RunEvent[]): string =>
  events.map(({ name: event, payload }) => `${event} ${shown(payload)}`).join('\n') || 'no event'

function shown(payload: unknown): string {
  const plain = JSON.stringify(payload, (_, part: unknown) =>
    typeof part === 'number' && !Number.isFinite(part) ? String(part) : typeof part === 'bigint' ? `${part}n` : part,
  )
  return plain.length > 160 ? `${plain.slice(0, 157)}...` : plain
}
