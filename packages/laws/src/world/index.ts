export * from './exact.js'
export * from './optimum-laws.js'
export * from './world.js'
export * from './worlds.js'
