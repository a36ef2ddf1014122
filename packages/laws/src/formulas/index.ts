export * from './preferences.js'
