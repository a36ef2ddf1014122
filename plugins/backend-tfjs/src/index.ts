export { devices, type Device } from './devices.js'
