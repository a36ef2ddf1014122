import { describe, expect, test } from 'vitest'
import { buildReport } from '../build/build-report.js'
import { syntheticMeasured, syntheticRun, syntheticStory } from '../testing/synthetic.js'
import { findings } from './findings.js'
import { html } from './html.js'
import { renderPage } from './render-page.js'

const about = { title: 'A <story>', createdAt: '2026-01-01T12:00:00.000Z' }
const report = buildReport({ ...about, records: syntheticStory(), measured: syntheticMeasured() })
const page = renderPage(report)
const sections = (text: string) => [...text.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title)

describe('the page', () => {
  test('loads nothing and runs nothing', () => {
    expect(page).not.toMatch(/https?:|<script|<link|<img|<iframe|@import|url\((?!#)|\son\w+=|xmlns|javascript:/i)
    expect(page).not.toMatch(/NaN|undefined|\[object/)
  })

  test('has every part, each picture with a description and two sizes', () => {
    expect(sections(page)).toEqual([
      ...[
        'Reward against KL',
        'Where each model ended',
        'Over-optimisation',
        'Who beats whom',
        'What each method costs',
      ],
      ...['Learning curves', 'Can the reward model be trusted?', 'Answers side by side', 'How it was measured'],
    ])
    const drawn = [...page.matchAll(/<svg[^>]*role="img" aria-label="([^"]+)"/g)]
    expect(drawn.length).toBeGreaterThan(30)
    expect(page.match(/class="wide"/g)?.length).toBe(page.match(/class="narrow"/g)?.length)
  })

  test('clip paths of its pictures do not get into each other’s way', () => {
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, used] of page.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(used)
  })

  test('shows what models said as text, whatever it is', () => {
    expect(page).toContain('A &lt;story&gt;')
    expect(page).toContain('&lt;b&gt;&amp;amp;&lt;/b&gt;')
    expect(page).not.toContain('<b>&amp;</b>')
  })

  test('is the same for the same report', () => expect(renderPage(report)).toBe(page))

  test('of one run without measurements has what there is', () => {
    const alone = buildReport({ ...about, records: [syntheticRun({ method: 'sft', kl: 0 })] })
    expect(sections(renderPage(alone))).toEqual(['What each method costs', 'Learning curves', 'How it was measured'])
  })

  test('of records alone has the pictures of training', () => {
    const recorded = renderPage(buildReport({ ...about, records: syntheticStory() }))
    expect(sections(recorded)).toContain('Reward against KL')
    expect(recorded).not.toMatch(/NaN|undefined/)
  })
})

describe('what is said first', () => {
  test('the best, who beats the reference, what is over-optimised, and what it cost', () => {
    const [best, winners, ...rest] = findings(report)
    expect(best).toMatch(
      /^The highest gold reward is that of (DPO|REINFORCE|PPO) β 0\.\d+: [\d.]+ \[.*\], against .* of the SFT model/,
    )
    expect(winners).toMatch(/^In gold reward on the same prompts, of 9 trained models: \d higher than the SFT model/)
    expect(rest.filter((line) => line.startsWith('Over-optimised: '))).not.toEqual([])
    expect(rest.at(-1)).toMatch(/DPO holds 2 models \(1\.0 M parameters\) and samples nothing; .* PPO holds 4 models/)
  })
})

test('html escapes values and keeps what is HTML', () => {
  expect(html`<p>${'<&>"'}${html`<b>${1}</b>`}${[html`x`, 'y']}${undefined}${false}</p>`.text).toBe(
    '<p>&lt;&amp;&gt;&quot;<b>1</b>xy</p>',
  )
})
