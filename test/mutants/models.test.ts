import { killTable } from './kill-table.js'
import { models } from './groups.js'

killTable(models)
