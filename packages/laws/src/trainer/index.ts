export * from './drive.js'
export * from './laws-of-trainer.js'
export { rewardOf } from './subject.js'
export type { LawTrainerOptions, TrainerSubject } from './subject.js'
