import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** SwiftShader, a Vulkan driver that computes on the CPU: every Chromium for Linux brings it, with a loader. */
export interface SoftwareVulkan {
  readonly folder: string
  /** What a process needs from its start, so that WebGPU finds the driver. */
  readonly environment: Readonly<Record<string, string>>
}

/** How to get one, where there is none. */
export const softwareVulkanNeeds = 'Debian: apt-get install chromium'

const driver = 'vk_swiftshader_icd.json'

/** Where Chromium is installed by distributions, and kept by Playwright and Puppeteer. */
function browserFolders(): string[] {
  const installed = [
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
    '/usr/lib64/chromium-browser',
    '/opt/google/chrome',
  ]
  const caches = [
    [join(homedir(), '.cache/ms-playwright'), 'chrome-linux'],
    [join(homedir(), '.cache/puppeteer/chrome'), 'chrome-linux64'],
  ] as const
  const kept = caches.flatMap(([cache, inside]) => {
    return existsSync(cache) ? readdirSync(cache).map((version) => join(cache, version, inside)) : []
  })
  return [...installed, ...kept]
}

/** The first folder with SwiftShader; undefined where there is none. It is slow, and meant for tests. */
export function findSoftwareVulkan(folders: readonly string[] = browserFolders()): SoftwareVulkan | undefined {
  if (process.platform !== 'linux') return undefined
  const folder = folders.find((one) => [driver, 'libvk_swiftshader.so'].every((name) => existsSync(join(one, name))))
  if (folder === undefined) return undefined
  const { LD_LIBRARY_PATH: before } = process.env
  return {
    folder,
    environment: {
      VK_DRIVER_FILES: join(folder, driver),
      // The older name, for loaders before 1.3.207.
      VK_ICD_FILENAMES: join(folder, driver),
      LD_LIBRARY_PATH: [folder, ...(before ? [before] : [])].join(delimiter),
    },
  }
}
