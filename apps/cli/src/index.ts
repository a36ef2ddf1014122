export { commandLine, run } from './command-line.js'
