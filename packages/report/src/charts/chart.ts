/** A picture of points in a plane, as data: what is drawn, in the units of its axes. */

export interface Axis {
  readonly name: string
  readonly min?: number
  readonly max?: number
  /** Values that it shows beside those that are drawn, so that several charts have one scale. */
  readonly covers?: readonly number[]
  /** Names of the places 0, 1, 2, ... of an axis that has no unit; the first is on top. */
  readonly categories?: readonly string[]
  /** As the numbers are written. */
  readonly format?: (value: number) => string
}

/** A colour of the style sheet, so that it follows the reader's light or dark. */
export type Colour = `var(--${string})`

export interface Line {
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly colour: Colour
  readonly width?: number
  readonly dash?: 'dashed' | 'dotted'
  readonly opacity?: number
}

export type Shape = 'circle' | 'square' | 'triangle' | 'diamond'

export interface Mark {
  readonly x: number
  readonly y: number
  readonly low?: number
  readonly high?: number
  /** Interval of x. */
  readonly left?: number
  readonly right?: number
  readonly label?: string
}

export interface Marks {
  readonly marks: readonly Mark[]
  readonly colour: Colour
  readonly shape: Shape
  /** Diameter, pixels. */
  readonly size: number
  readonly hollow?: boolean
}

/** The area between two curves. */
export interface Band {
  readonly points: readonly { readonly x: number; readonly low: number; readonly high: number }[]
  readonly colour: Colour
}

/** One picture. Later layers lie on top: bands, lines, marks. */
export interface Chart {
  /** What is to be seen, for those who do not see it. */
  readonly description: string
  readonly title?: string
  readonly x: Axis
  readonly y: Axis
  readonly bands?: readonly Band[]
  readonly lines?: readonly Line[]
  readonly marks?: readonly Marks[]
}

/** One entry of a legend. */
export interface Key {
  readonly label: string
  readonly colour: Colour
  readonly shape?: Shape
  readonly hollow?: boolean
  readonly line?: 'solid' | 'dashed' | 'dotted' | 'band'
}
