export * from './laws-of-policy.js'
export { lawObjectives } from './objectives.js'
export type { PolicySubject } from './subject.js'
