import type { Bus, CallName, Dispose, Handler } from './bus.js'

/** The verbs of a contract that are answered on the bus under a role. */
type Verbs<Contract> = readonly (keyof Contract & string)[]

/**
 * Serves a plain object's verbs under a role (`reward.score`, `reward.close`, ...) and gives a handle with the same
 * interface whose verbs are calls: what one plugin gets of another.
 */
export function serve<Contract extends object, const Names extends Verbs<Contract>>(
  bus: Bus,
  role: string,
  object: Contract,
  verbs: Names,
): { readonly handle: Pick<Contract, Names[number]>; readonly dispose: Dispose } {
  const disposers = verbs.map((verb) => {
    const method = object[verb as keyof Contract] as Handler<CallName>
    return bus.serve(`${role}.${verb}` as CallName, (request) => method.call(object, request))
  })
  return {
    handle: handleOf<Contract, Names>(bus, role, verbs),
    dispose: () => {
      for (const dispose of disposers) dispose()
    },
  }
}

/** A handle for a role, whoever serves it when a verb is called. */
export function handleOf<Contract extends object, const Names extends Verbs<Contract>>(
  bus: Bus,
  role: string,
  verbs: Names,
): Pick<Contract, Names[number]> {
  const calls = verbs.map((verb) => {
    const name = `${role}.${verb}` as CallName
    return [verb, (request: never) => bus.call(name, request)] as const
  })
  return Object.freeze(Object.fromEntries(calls)) as unknown as Pick<Contract, Names[number]>
}
