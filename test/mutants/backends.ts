import { createInterpreterBackend } from '@collimate/backend-interpreter'
import type { Backend, HostTensor, TensorData } from '@collimate/core'
import { lawsOfBackend } from '@collimate/laws'
import { mutantsOf } from './mutant.js'
import { expanded, withNodes, withProgram } from './programs.js'

type CreateBackend = () => Backend
const changed = (change: (backend: Backend) => Partial<Backend>) => (right: CreateBackend) => () => {
  const backend = right()
  return { ...backend, ...change(backend) }
}
const wrapped = (wrap: (backend: Backend) => Backend) => (right: CreateBackend) => () => wrap(right())

/** Values of the caller's that a mutant keeps hold of. */
const sameContent = (into: TensorData, from: TensorData): void => {
  if (into.length === from.length) into.set(from)
}

export const backends = mutantsOf<CreateBackend>({
  subject: 'the interpreter',
  right: createInterpreterBackend,
  suite: (create, name) => lawsOfBackend({ name, create: async () => create(), tolerance: 1e-9 }),
  mutations: [
    {
      id: 'backend-naive-softplus',
      defect: 'L25',
      what: 'softplus(x) is log(1 + exp(x)), which overflows',
      wrong: wrapped((backend) =>
        withProgram(backend, (program) =>
          expanded(program, 'softplus', [
            { op: 'exp', inputs: [0], attributes: {} },
            { op: 'log1p', inputs: [-1], attributes: {} },
          ]),
        ),
      ),
    },
    {
      id: 'backend-naive-log-sigmoid',
      defect: 'L25',
      what: 'logSigmoid(x) is −log(1 + exp(−x)), which overflows',
      wrong: wrapped((backend) =>
        withProgram(backend, (program) =>
          expanded(program, 'logSigmoid', [
            { op: 'neg', inputs: [0], attributes: {} },
            { op: 'exp', inputs: [-1], attributes: {} },
            { op: 'log1p', inputs: [-2], attributes: {} },
            { op: 'neg', inputs: [-3], attributes: {} },
          ]),
        ),
      ),
    },
    {
      id: 'backend-naive-expm1',
      defect: 'class 33',
      what: 'expm1(x) loses its digits near 0, as exp(x) − 1 does',
      wrong: wrapped((backend) =>
        withProgram(backend, (program) =>
          expanded(program, 'expm1', [
            { op: 'exp', inputs: [0], attributes: {} },
            { op: 'log', inputs: [-1], attributes: {} },
            { op: 'exp', inputs: [-2], attributes: {} },
            { op: 'div', inputs: [-3, -3], attributes: {} },
            { op: 'sub', inputs: [-1, -4], attributes: {} },
          ]),
        ),
      ),
    },
    {
      id: 'backend-loses-attribute',
      defect: '-',
      what: 'the factor of a matrix product is forgotten',
      wrong: wrapped((backend) =>
        withNodes(backend, (node) =>
          node.op === 'matmul' ? { ...node, attributes: { ...node.attributes, scale: 1 } } : node,
        ),
      ),
    },
    {
      id: 'backend-swaps-operands',
      defect: '-',
      what: 'a difference is subtracted the wrong way round',
      wrong: wrapped((backend) =>
        withNodes(backend, (node) => (node.op === 'sub' ? { ...node, inputs: [...node.inputs].reverse() } : node)),
      ),
    },
    {
      id: 'backend-reversed-comparison',
      defect: 'class 37',
      what: 'greater is computed as less',
      wrong: wrapped((backend) =>
        withNodes(backend, (node) => (node.op === 'greater' ? { ...node, op: 'less' } : node)),
      ),
    },
    {
      id: 'backend-ignores-feeds',
      defect: '-',
      what: 'a program that ran once gives its first result for ever',
      wrong: changed((backend) => {
        const first = new Map<string, Record<string, TensorData>>()
        return {
          run: async (request) => {
            const outputs = first.get(request.executable) ?? (await backend.run(request))
            first.set(request.executable, outputs)
            return Object.fromEntries(Object.entries(outputs).map(([name, data]) => [name, data.slice()]))
          },
        }
      }),
    },
    {
      id: 'backend-accepts-unknown-feeds',
      defect: 'class 30',
      what: 'a feed that the program does not have is dropped without a word',
      wrong: changed((backend) => {
        const feeds = new Map<string, string[]>()
        return {
          compile: async (request) => {
            const id = await backend.compile(request)
            feeds.set(
              id,
              request.program.inputs.map(({ name }) => name),
            )
            return id
          },
          run: (request) => {
            const known = feeds.get(request.executable) ?? []
            const kept = Object.entries(request.feeds).filter(([name]) => known.includes(name))
            return backend.run({ ...request, feeds: Object.fromEntries(kept) })
          },
        }
      }),
    },
    {
      id: 'backend-returns-its-buffer',
      defect: '-',
      what: 'the arrays of one run are overwritten by the next',
      wrong: changed((backend) => {
        const buffers = new Map<string, Record<string, TensorData>>()
        return {
          run: async (request) => {
            const outputs = await backend.run(request)
            const known = buffers.get(request.executable) ?? outputs
            for (const [name, data] of Object.entries(outputs)) sameContent(known[name], data)
            buffers.set(request.executable, known)
            return known
          },
        }
      }),
    },
    {
      id: 'backend-scribbles-on-feeds',
      defect: '-',
      what: 'a run leaves its first output in the array of a feed',
      wrong: changed((backend) => ({
        run: async (request) => {
          const outputs = await backend.run(request)
          const [given] = Object.values(request.feeds).filter((data) => data instanceof Float64Array)
          const [made] = Object.values(outputs)
          if (given && made && given.length > 0 && made.length > 0) given[0] = made[0] + 1
          return outputs
        },
      })),
    },
    {
      id: 'backend-shares-initial-values',
      defect: '-',
      what: 'a state buffer is the array that it was made of: who changes one changes the other',
      wrong: changed((backend) => {
        const given = new Map<string, readonly [string, HostTensor][]>()
        const follow = async (): Promise<void> => {
          for (const [state, tensors] of given)
            await backend.write({ state, tensors: Object.fromEntries(tensors) }).catch(() => given.delete(state))
        }
        return {
          state: async (request) => {
            const id = await backend.state(request)
            const arrays = Object.entries(request.tensors).filter(([, init]) => 'data' in init)
            given.set(id, arrays as [string, HostTensor][])
            return id
          },
          read: async (request) => (await follow(), backend.read(request)),
        }
      }),
    },
    {
      id: 'backend-reads-its-buffer',
      defect: '-',
      what: 'what was read from a state changes with the state',
      wrong: changed((backend) => {
        const views = new Map<string, HostTensor>()
        return {
          read: async (request) => {
            const tensors = await backend.read(request)
            return Object.fromEntries(
              Object.entries(tensors).map(([name, tensor]) => {
                const key = `${request.state} ${name}`
                const view = views.get(key) ?? tensor
                sameContent(view.data, tensor.data)
                views.set(key, view)
                return [name, view]
              }),
            )
          },
        }
      }),
    },
    {
      id: 'backend-updates-in-sequence',
      defect: '-',
      what: 'an update sees the buffers that an update before it has written',
      wrong: changed((backend) => {
        const programs = new Map<string, readonly string[]>()
        return {
          compile: async (request) => {
            const { program } = request
            const parts: string[] = []
            for (const update of program.updates.filter(({ at }) => !at))
              parts.push(await backend.compile({ ...request, program: { ...program, outputs: [], updates: [update] } }))
            const id = await backend.compile(request)
            if (parts.length > 1 && parts.length === program.updates.length) programs.set(id, parts)
            return id
          },
          run: async (request) => {
            const parts = programs.get(request.executable)
            if (!parts) return backend.run(request)
            for (const executable of parts) await backend.run({ ...request, executable })
            return {}
          },
        }
      }),
    },
    {
      id: 'backend-copy-shares',
      defect: '-',
      what: 'the copy of a state is the state itself',
      wrong: changed(() => ({ copy: async ({ state }) => state })),
    },
    {
      id: 'backend-last-state-wins',
      defect: '-',
      what: 'where two state sets have a name, the last one is taken',
      wrong: changed((backend) => ({
        run: (request) => backend.run({ ...request, states: [...(request.states ?? [])].reverse() }),
      })),
    },
    {
      id: 'backend-frozen-follows',
      defect: '-',
      what: 'frozen state follows later changes',
      wrong: changed((backend) => {
        const compiled = new Map<string, Parameters<Backend['compile']>[0]>()
        return {
          compile: async (request) => {
            const id = await backend.compile(request)
            if (request.frozen?.length) compiled.set(id, request)
            return id
          },
          run: async (request) => {
            const again = compiled.get(request.executable)
            if (!again) return backend.run(request)
            const executable = await backend.compile(again)
            try {
              return await backend.run({ ...request, executable })
            } finally {
              await backend.release({ id: executable })
            }
          },
        }
      }),
    },
    {
      id: 'backend-leaks',
      defect: 'class 53',
      what: 'every run leaves a state set behind',
      wrong: changed((backend) => ({
        run: async (request) => {
          await backend.state({ tensors: { leaked: { dtype: 'float', shape: [8] } } })
          return backend.run(request)
        },
      })),
    },
    {
      id: 'backend-keeps-what-is-released',
      defect: 'class 53',
      what: 'release frees nothing',
      wrong: changed(() => ({ release: async () => undefined })),
    },
    {
      id: 'backend-hides-usage',
      defect: 'class 53',
      what: 'usage says that nothing is alive',
      wrong: changed(() => ({ usage: async () => ({ executables: 0, states: 0, bytes: 0 }) })),
    },
    {
      id: 'backend-float32',
      defect: '-',
      what: 'outputs are rounded to single precision although double is claimed',
      wrong: changed((backend) => ({
        run: async (request) => {
          const outputs = await backend.run(request)
          for (const data of Object.values(outputs)) if (data instanceof Float64Array) data.set(Float32Array.from(data))
          return outputs
        },
      })),
    },
    {
      id: 'backend-swallows-not-a-number',
      defect: 'class 9',
      what: 'NaN in a result is given out as 0',
      wrong: changed((backend) => ({
        run: async (request) => {
          const outputs = await backend.run(request)
          for (const data of Object.values(outputs))
            data.forEach((value, at) => {
              if (Number.isNaN(value)) data[at] = 0
            })
          return outputs
        },
      })),
    },
  ],
})
