import type { Bus, CollimateEvents, Resources, Tracker } from '@collimate/core'
import { duration, labelled, measurementTable, metricValue, shortCount, shortNumber } from './format.js'
import { costLine, holdingsLine } from './resources.js'
import { createScreen } from './screen.js'
import type { Output } from './screen.js'
import { createSpeed } from './speed.js'

export interface ConsoleOptions {
  /** Seconds between plain progress lines where there is no terminal. */
  readonly interval: number
  /** Show warnings only. */
  readonly quiet: boolean
}

export interface Streams {
  readonly out: Output
  readonly err: Output
  /** Milliseconds. */
  readonly now: () => number
}

/** Metrics that the progress line shows, where a trainer reports them, and what it calls them. */
const shownMetrics: Readonly<Record<string, string>> = {
  reward: 'reward',
  'objective/kl': 'kl',
  'completions/mean_length': 'length',
  loss: 'loss',
  accuracy: 'accuracy',
  mean_token_accuracy: 'mean_token_accuracy',
  'rewards/accuracies': 'rewards/accuracies',
  'rewards/margins': 'rewards/margins',
}

/** Tells people in a terminal how a run goes. */
export function consoleTracker({ interval, quiet }: ConsoleOptions, { out, err, now }: Streams): Tracker {
  const screen = createScreen(out, err, 1000 * interval, now)

  function attach(bus: Bus): () => void {
    const speed = createSpeed()
    let metrics: Readonly<Record<string, number>> = {}
    let preparation = { phase: '', startedAt: 0 }
    let held = false

    const step = (event: CollimateEvents['metrics.logged']): void => {
      const { step, totalSteps, tokens, seconds } = event
      metrics = { ...metrics, ...event.metrics }
      speed.add({ units: tokens, seconds })
      const logged = Object.keys(event.metrics).length > 0
      // Without a terminal a line is worth its place only with new numbers in it.
      if (!err.isTTY && !logged) return
      const share = Math.floor((100 * step) / totalSteps)
      const left = speed.secondsPerStep() * (totalSteps - step)
      const numbers = Object.entries(shownMetrics).flatMap(([name, label]) =>
        metrics[name] === undefined ? [] : [`${label} ${metricText(name, metrics[name])}`],
      )
      const parts = [`step ${step}/${totalSteps} (${share} %)`, ...numbers, `${shortCount(speed.perSecond())} tokens/s`]
      screen.status([...parts, `${duration(left)} left`].join('  '), step === 1 || step === totalSteps)
    }

    const progress = ({ phase, done, total, unit }: CollimateEvents['progress.made']): void => {
      if (preparation.phase !== phase || done === 0) preparation = { phase, startedAt: now() }
      const elapsed = (now() - preparation.startedAt) / 1000
      const left = done > 0 ? `  ${duration((elapsed * (total - done)) / done)} left` : ''
      screen.status(`${phase} ${done}/${total} ${unit}${done < total ? left : ''}`, done >= total)
    }

    /** After the first step what the run holds, at its end what it cost. */
    const resources = (measured: Resources): void => {
      screen.note(held ? costLine(measured) : holdingsLine(measured))
      held = true
    }

    const sample = ({ sample }: CollimateEvents['sample.shown']): void => {
      const width = Math.max(...Object.keys(sample.completions).map((name) => name.length))
      screen.result(`\n${labelled('prompt: ', sample.prompt, '')}`)
      for (const [name, { text, score }] of Object.entries(sample.completions)) {
        const scored = score === undefined ? '' : ` (${shortNumber(score)})`
        screen.result(labelled(`${name.padEnd(width)}${scored}: `, text, '  '))
      }
    }

    const disposers = [
      bus.on('warning.raised', ({ code, message }) => screen.note(`warning ${code}: ${message}`)),
      bus.on('listener.failed', ({ event, message }) =>
        screen.note(`warning: a listener of ${event} failed: ${message}`),
      ),
    ]
    if (!quiet)
      disposers.push(
        bus.on('stage.changed', ({ stage, index, count, state }) => {
          if (state !== 'done')
            screen.note(`stage ${stage} (${index + 1} of ${count})${state === 'skipped' ? ': done before' : ''}`)
        }),
        bus.on('phase.changed', ({ phase, detail }) => {
          if (phase !== 'done') screen.status(detail === undefined ? phase : `${phase} ${detail}`, true)
        }),
        bus.on('progress.made', progress),
        bus.on('metrics.logged', step),
        bus.on('resources.measured', resources),
        bus.on('evaluation.finished', ({ step, metrics }) => {
          screen.result(
            [`evaluation after step ${step}`, ...measurementTable(metrics).map((row) => `  ${row}`)].join('\n'),
          )
        }),
        bus.on('sample.shown', sample),
        bus.on('checkpoint.saved', ({ step, folder }) => screen.note(`checkpoint of step ${step} in ${folder}`)),
        bus.on('model.saved', ({ folder }) => screen.note(`model saved in ${folder}`)),
      )
    return () => {
      for (const dispose of disposers) dispose()
      screen.end()
    }
  }

  return { attach, close: async () => screen.end() }
}

/** Without units: the line is short. */
const metricText = (name: string, value: number): string => metricValue(name, value).replace(/ (?:nats|tokens)$/, '')
