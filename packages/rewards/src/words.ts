/** Words of a text: what stands between white space, punctuation included. */
export const wordsOf = (text: string): string[] => text.split(/\s+/u).filter((word) => word !== '')
