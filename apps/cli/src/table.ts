/** Rows of text as aligned columns, two spaces apart; the last column is wrapped at `width`. */
export function table(rows: readonly (readonly string[])[], width = process.stdout.columns ?? 100): string {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns - 1 }, (_, column) =>
    Math.max(0, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const indent = widths.reduce((sum, columnWidth) => sum + columnWidth + 2, 0)
  return rows
    .map((row) => {
      const lead = widths.map((columnWidth, column) => `${(row[column] ?? '').padEnd(columnWidth)}  `).join('')
      return (
        lead + wrap(row[columns - 1] ?? '', Math.max(24, width - indent)).join(`\n${' '.repeat(indent)}`)
      ).trimEnd()
    })
    .join('\n')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
