/** A mark on the picture and the size of what is written beside it, pixels; y grows downwards. */
export interface Labelled {
  readonly x: number
  readonly y: number
  /** Radius of the mark. */
  readonly radius: number
  /** Width of the text; 0 where nothing is written. */
  readonly width: number
}

export type Place = 'right' | 'left' | 'top' | 'bottom'

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

const height = 13
const gap = 4
const places: readonly Place[] = ['right', 'left', 'top', 'bottom']

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom

export function boxOf({ x, y, radius, width }: Labelled, place: Place): Box {
  const off = radius + gap
  const [cx, cy] = {
    right: [x + off + width / 2, y],
    left: [x - off - width / 2, y],
    top: [x, y - off - height / 2],
    bottom: [x, y + off + height / 2],
  }[place]
  return { left: cx - width / 2, right: cx + width / 2, top: cy - height / 2, bottom: cy + height / 2 }
}

/**
 * A place for each label, one after the other: the first side of its mark where it lies inside the frame and on no mark and no
 * earlier label; undefined where there is none, and the label is left out.
 */
export function placeLabels(
  marks: readonly Labelled[],
  frame: { readonly width: number; readonly height: number },
): (Place | undefined)[] {
  const taken: Box[] = marks.map(({ x, y, radius }) => ({
    ...{ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius },
  }))
  return marks.map((mark) => {
    if (mark.width === 0) return undefined
    const place = places.find((side) => {
      const box = boxOf(mark, side)
      const inside = box.left >= 0 && box.right <= frame.width && box.top >= 0 && box.bottom <= frame.height
      return inside && !taken.some((other) => overlap(box, other))
    })
    if (place !== undefined) taken.push(boxOf(mark, place))
    return place
  })
}
