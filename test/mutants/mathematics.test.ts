import { killTable } from './kill-table.js'
import { mathematics } from './groups.js'

killTable(mathematics)
