import type { DataSource, DatasetType, TokenizerFiles } from '@collimate/core'
import type { Arbitrary } from 'fast-check'
import { type Claims, type LawSuite, suiteOf } from '../suite.js'
import { rowLaws } from './row-laws.js'
import { type Row, rowsOf, usualTokenizers } from './rows.js'
import { tokenLaws } from './token-laws.js'

export { rowsOf, type Row } from './rows.js'
export * from './forest-suite.js'
export * from './tokenizer-suite.js'

export interface DatasetLawsOptions {
  readonly name: string
  /**
   * A new source over these rows, in this order; of them it holds out `held` for evaluation (0: none; asked for only where
   * `split` is claimed). The law closes it.
   */
  create(rows: readonly Row[], held: number): DataSource | Promise<DataSource>
  readonly type: DatasetType
  /** Default: three byte-level tokenizers, one of which begins every text with a token. */
  readonly tokenizer?: TokenizerFiles
  /** Rows to try, texts in TRL's columns with a column `number`; default: texts whose tokens often merge across the border. */
  readonly rows?: Arbitrary<Row>
  /** Of the plugin's manifest: `split`, `packing`. */
  readonly claims?: Claims
  /** Frees what `create` left behind, such as files. */
  close?(): Promise<void>
}

/** What a source of data must fulfil: what texts become, which rows are there, and how they are read. */
export function lawsOfDataset(options: DatasetLawsOptions): LawSuite {
  const { name, create, type, tokenizer, rows = rowsOf[type], claims = {}, close } = options
  const tokenizers = tokenizer === undefined ? usualTokenizers() : [{ name: 'was given', files: tokenizer }]
  const subject = { create, type, tokenizers, rows }
  return suiteOf({
    contract: 'data',
    subject: `${name} (${type})`,
    claims,
    laws: [...tokenLaws(subject), ...rowLaws(subject)],
    ...(close && { close }),
  })
}
