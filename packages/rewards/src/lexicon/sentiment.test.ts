import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fc, test } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { input } from '../testing/input.js'
import { ruleOf } from '../testing/rule-of.js'
import { defaultLexicon } from './default-lexicon.js'
import { readLexicon } from './read-lexicon.js'
import { sentiment } from './sentiment.js'

const lexicon = new Map([
  ['good', 2],
  ['bad', -2],
  [':)', 3],
  ['no', -1],
  ['kind', 2],
  ['very', 4],
])
const normal = (sum: number): number => sum / Math.sqrt(sum * sum + 15)

describe('sentiment', () => {
  it.each([
    ['', 0],
    ['goods', 0],
    ['Good!', 2],
    ['"good," good', 4],
    ['good bad', 0],
    ['very good', 2.293],
    ['very bad', -2.293],
    ['very old good', 2 + 0.293 * 0.95],
    ['very a b good', 2 + 0.293 * 0.9],
    ['very a b c good', 2],
    ['slightly good', 2 - 0.293],
    ['not good', -1.48],
    ['not very good', -0.74 * 2.293],
    ['wasn’t good', -1.48],
    ["can't be good", -1.48],
    ['dont be good', -1.48],
    ['we want good', 2],
    ['no good', -1.48],
    ['no', -1],
    ['bad good', 0],
    ['a kind answer', 2],
    ['a kind of answer', 0],
    ['so :)', 3.293],
    ['(good)', 2],
  ])('%j', (text, sum) => {
    // A word of degree has no valence of its own here; it is in the lexicon to see that it is not counted twice.
    expect(sentiment(text, new Map([...lexicon].filter(([word]) => word !== 'very')))).toBeCloseTo(normal(sum), 12)
  })

  it('counts no word of degree, whatever the lexicon says', () => {
    expect(sentiment('very', lexicon)).toBe(0)
  })

  test.prop([fc.array(fc.constantFrom(...lexicon.keys(), 'not', 'a', 'slightly', '!!!', '\n'), { maxLength: 12 })])(
    'lies between −1 and 1, and turns around with its lexicon',
    (words) => {
      const text = words.join(' ')
      const turned = new Map([...lexicon].map(([word, valence]) => [word, -valence]))
      expect(Math.abs(sentiment(text, lexicon))).toBeLessThan(1)
      expect(sentiment(text, turned)).toBeCloseTo(-sentiment(text, lexicon), 12)
    },
  )
})

describe('the default lexicon', () => {
  it('is plain words, each once', () => {
    const words = [...defaultLexicon.keys()]
    expect(words.length).toBeGreaterThan(300)
    for (const word of words) expect(word).toMatch(/^[a-z]+$/)
  })

  it('tells good from bad', async () => {
    const score = await ruleOf({ rule: 'lexicon' })
    expect(score(input('They were happy and played with their friends.'))).toBeGreaterThan(0.5)
    expect(score(input('It was a terrible, sad day.'))).toBeLessThan(-0.5)
    expect(score(input('The cat sat on the mat.'))).toBe(0)
  })
})

describe('readLexicon', () => {
  let folder = ''
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'collimate-lexicon-'))))
  afterAll(() => rm(folder, { recursive: true }))
  const written = async (text: string) => {
    await writeFile(join(folder, 'lexicon.txt'), text)
    return readLexicon(join(folder, 'lexicon.txt'))
  }

  it('reads tokens with their valences; small letters count before capitals', async () => {
    expect([...(await written(':P\t1\t0.5\nHappy\t2.5\r\n:p\t-1\nhappy\t3\nHAPPY\t4\n\n'))]).toEqual([
      [':p', -1],
      ['happy', 3],
    ])
  })

  it.each([
    ['happy', 'line 1'],
    ['happy\t2\nsad\tvery', 'line 2'],
    ['happy\t', 'line 1'],
    ['\t2', 'line 1'],
    ['happy\tInfinity', 'line 1'],
    ['\n', 'no word'],
  ])('refuses %j', async (text, named) => {
    await expect(written(text)).rejects.toThrow(
      expect.objectContaining({ code: 'COLLIMATE_REWARD_LEXICON_INVALID', message: expect.stringContaining(named) }),
    )
  })

  it('names a file that is not there, relative to the experiment', async () => {
    await expect(ruleOf({ rule: 'lexicon', file: 'none.txt' }, (one) => join(folder, one))).rejects.toThrow(
      expect.objectContaining({ code: 'COLLIMATE_REWARD_LEXICON_INVALID', message: expect.stringContaining(folder) }),
    )
  })
})

const vader = fileURLToPath(new URL('../../../../../shared/data/vader/vader_lexicon.txt', import.meta.url))

describe.skipIf(!existsSync(vader))('VADER in ../shared/data (skipped where the folder is absent)', () => {
  // `compound` of vaderSentiment 3.3.2, which rounds to four places, for texts without what is left out here.
  it.each([
    ['the movie was good.', 0.4404],
    ['the movie was very good', 0.4927],
    ['the movie was not good', -0.3412],
    ['it is extremely bad', -0.5849],
    ['it was slightly bad, and i hated it', -0.813],
    ["i don't like this at all", -0.2755],
    ['this is not a very happy story', -0.4964],
    ['no good came of it', -0.3412],
    ['the answer is helpful and kind, thank you', 0.8271],
    ['she was really not happy', -0.5067],
    ['the cat sat on the mat', 0],
    ['great :) and funny', 0.875],
    ['a sad ending :(', -0.7184],
    ["i couldn't be happier about this wonderful gift", 0.5892],
    ["it isn't very helpful", -0.3713],
    ['he barely survived the awful accident', -0.4271],
    ['without hope there is despair', -0.5727],
    ['totally awesome and utterly brilliant', 0.8586],
    ['the food was good and the service was bad', -0.1531],
    ['i rarely enjoy such boring books', -0.1695],
  ])('%s', async (text, compound) => {
    expect(Math.abs(sentiment(text, await readLexicon(vader)) - compound)).toBeLessThanOrEqual(5.0001e-5)
  })
})
