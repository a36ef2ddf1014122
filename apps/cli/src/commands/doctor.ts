import { Command, Option } from 'commander'
import {
  diskCheck,
  memoryCheck,
  nodeCheck,
  optionalPackageChecks,
  packageCheck,
  processorCheck,
} from '../doctor/checks.js'
import type { Check } from '../doctor/checks.js'
import { backendDevices, deviceChecks, probeDevice } from '../doctor/devices.js'
import { opRows, opTables } from '../doctor/ops.js'
import { exitStatus } from '../failure.js'
import { installedPlugins } from '../installed-plugins.js'
import { table } from '../table.js'

interface DoctorOptions {
  readonly json?: boolean
  readonly ops?: true | string
  readonly probe?: string
}

const marks: Readonly<Record<Check['state'], string>> = { ok: 'ok', missing: 'MISSING', absent: '-' }

/** `collimate doctor`: what this machine can run. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('say what this machine can run, and what to do about what is missing')
    .option('--json', 'as JSON')
    .option('--ops [device]', 'how backends compute each op; of one device, e.g. "tfjs wasm", with its kernels')
    .addOption(new Option('--probe <device>').hideHelp())
    .addHelpText(
      'after',
      `
Exit status 1 where something essential is missing. Devices of the installed backends are tried with a small program each.

Examples:
  collimate doctor
  collimate doctor --json
  collimate doctor --ops
  collimate doctor --ops "tfjs wasm"`,
    )
    .action(async (options: DoctorOptions) => {
      if (options.probe !== undefined)
        return void process.stdout.write(JSON.stringify(await probeDevice(options.probe)))
      const { plugins } = await installedPlugins()
      if (options.ops !== undefined) {
        const tables = opTables(plugins, options.ops === true ? undefined : options.ops)
        const written = options.json ? JSON.stringify(tables, null, 2) : table(opRows(tables))
        return void process.stdout.write(`${written}\n`)
      }
      const checks: Check[] = [
        nodeCheck(),
        processorCheck(),
        memoryCheck(),
        await diskCheck(),
        packageCheck('onnxruntime-node', 'npm install onnxruntime-node', true),
        ...(await deviceChecks(backendDevices(plugins))),
        packageCheck('tsx', 'npm install tsx (experiments and plugins in TypeScript need it)', true),
        ...optionalPackageChecks(plugins),
      ]
      if (options.json) process.stdout.write(`${JSON.stringify(checks, null, 2)}\n`)
      else process.stdout.write(`${table(checks.map(asRow))}\n`)
      if (checks.some(({ state }) => state === 'missing')) process.exitCode = exitStatus.failure
    })
}

function asRow({ name, state, detail, hint }: Check): string[] {
  return [marks[state], name, hint === undefined ? detail : `${detail}: ${hint}`]
}
