/** The part of semantic versioning that engine ranges need: `1.2.3`, `^`, `~`, comparisons, `*`, `x`, `||`, spaces for "and". */

interface Version {
  readonly parts: readonly [number, number, number]
  readonly prerelease: string
}

const versionPattern = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/
const comparatorPattern =
  /^(\^|~|>=|<=|>|<|=)?v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/

function parse(version: string): Version | undefined {
  const match = versionPattern.exec(version)
  return match
    ? { parts: [Number(match[1]), Number(match[2]), Number(match[3])], prerelease: match[4] ?? '' }
    : undefined
}

/** Negative, zero or positive; a prerelease comes before its release, prereleases in the order of their text. */
function compare(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) if (a.parts[i] !== b.parts[i]) return a.parts[i] - b.parts[i]
  if (a.prerelease === b.prerelease) return 0
  if (a.prerelease === '') return 1
  if (b.prerelease === '') return -1
  return a.prerelease < b.prerelease ? -1 : 1
}

type Comparator = (version: Version) => boolean

function comparator(text: string): Comparator | undefined {
  if (text === '*' || text === '') return () => true
  const match = comparatorPattern.exec(text)
  if (!match) return undefined
  const [, operator = '', ...numbers] = match
  const given = numbers.slice(0, 3).map((part) => (part === undefined || /[xX*]/.test(part) ? undefined : Number(part)))
  const [major, minor, patch] = given
  if (major === undefined) return () => true
  const low: Version = { parts: [major, minor ?? 0, patch ?? 0], prerelease: match[5] ?? '' }
  const below = (parts: Version['parts']): Comparator => {
    const limit: Version = { parts, prerelease: '' }
    return (version) => compare(version, low) >= 0 && compare(version, limit) < 0 && sameLine(version, limit)
  }
  // A prerelease of the upper limit (2.0.0-beta for < 2.0.0) is not wanted.
  const sameLine = (version: Version, limit: Version): boolean =>
    version.prerelease === '' || version.parts.some((part, i) => part !== limit.parts[i])
  switch (operator) {
    case '^':
      if (major > 0 || minor === undefined) return below([major + 1, 0, 0])
      return minor > 0 || patch === undefined ? below([0, minor + 1, 0]) : below([0, 0, patch + 1])
    case '~':
      return minor === undefined ? below([major + 1, 0, 0]) : below([major, minor + 1, 0])
    case '>=':
      return (version) => compare(version, low) >= 0
    case '<':
      return (version) => compare(version, low) < 0
    case '>':
      return minor === undefined
        ? (version) => version.parts[0] > major
        : patch === undefined
          ? (version) => version.parts[0] > major || (version.parts[0] === major && version.parts[1] > minor)
          : (version) => compare(version, low) > 0
    case '<=':
      return minor === undefined
        ? (version) => version.parts[0] <= major
        : patch === undefined
          ? (version) => version.parts[0] < major || (version.parts[0] === major && version.parts[1] <= minor)
          : (version) => compare(version, low) <= 0
    default:
      if (minor === undefined) return below([major + 1, 0, 0])
      return patch === undefined ? below([major, minor + 1, 0]) : (version) => compare(version, low) === 0
  }
}

/** Alternatives, each a list of comparators that must all hold; undefined where the text is not a range. */
function parseRange(range: string): Comparator[][] | undefined {
  const alternatives = range.split('||').map((part) =>
    part
      .trim()
      .split(/\s+/)
      .map((text) => comparator(text)),
  )
  return alternatives.every((list) => list.every((one) => one !== undefined))
    ? (alternatives as Comparator[][])
    : undefined
}

export const isVersion = (text: string): boolean => parse(text) !== undefined

export const isRange = (text: string): boolean => parseRange(text) !== undefined

/** Whether a version lies in a range; false where either cannot be read. */
export function satisfies(version: string, range: string): boolean {
  const parsed = parse(version)
  const alternatives = parseRange(range)
  return (
    parsed !== undefined && alternatives !== undefined && alternatives.some((list) => list.every((one) => one(parsed)))
  )
}
