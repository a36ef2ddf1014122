import fc from 'fast-check'
import { law, require, type Law } from '../law.js'
import { batchOf, examplesOf, showTrees, trees, type Tree } from './cases.js'
import { readings, sameReadings } from './readings.js'
import { sameBits, type Subject } from './subject.js'
import { copyOf, updateOn } from './update-cases.js'

/** What the policy remembers, leaves to others and stamps on what it gives. */
export function stateLaws(subject: Subject): Law[] {
  const show = (given: readonly Tree[]): string => showTrees(given, subject)
  const capability = 'update'

  return [
    law({
      name: 'resumption/snapshot',
      statement: 'A policy that is restored goes on in the same bits, and so does another that gets the snapshot.',
      formula: 'update(restore(s)) = update(s), bit for bit',
      source: 'ModelSnapshot; open-instruct#1523, Open-Reasoner-Zero#34: resuming that replays or loses state',
      cost: 10,
      capability,
      arbitrary: fc.record({ first: trees(1, 2, 2), second: trees(1, 2, 2) }),
      show: ({ first, second }) => `updates on ${show(first)}, then on ${show(second)}`,
      holds: ({ first, second }) =>
        subject.using(async (opened) => {
          const { policy } = opened
          await policy.update(updateOn(first, opened))
          const kept = copyOf(await policy.snapshot())
          const report = await policy.update(updateOn(second, opened))
          const expected = copyOf(await policy.snapshot())
          await policy.restore({ snapshot: kept })
          sameBits(await policy.snapshot(), kept, 'after restoring')
          const again = await policy.update(updateOn(second, opened))
          require(again.loss === report.loss, `the loss is ${again.loss} after restoring, it was ${report.loss}`)
          sameBits(await policy.snapshot(), expected, 'the update after restoring')
          const twin = await subject.twin()
          await twin.restore({ snapshot: kept })
          await twin.update(updateOn(second, opened))
          sameBits(await twin.snapshot(), expected, 'the update of another policy with the snapshot')
        }),
    }),
    law({
      name: 'language-model/reference',
      statement: 'A reference stays as it is while its policy learns.',
      formula: 'outputs of π_ref after updates of π = before = those of π when it was taken',
      source: 'Policy.reference; LlamaFactory#8459, trl#2423: references that are the wrong model or stale',
      cost: 6,
      capability,
      arbitrary: fc.record({ given: trees(1, 2, 3), updates: fc.integer({ min: 1, max: 3 }) }),
      show: ({ given, updates }) => `${show(given)}; ${updates} updates`,
      holds: ({ given, updates }) =>
        subject.using(async (opened) => {
          const { policy, about } = opened
          const batch = batchOf(examplesOf(given, about))
          const reference = await policy.reference()
          try {
            const frozen = { ...opened, policy: { ...policy, ...reference } }
            const before = await readings(frozen, batch)
            sameReadings(before, await readings(opened, batch), 0, 'of the policy when the reference is taken')
            const { weightsHash, version } = await reference.describe()
            for (let i = 0; i < updates; i++) await policy.update(updateOn(given, opened, { learningRate: 0.1 }))
            sameReadings(await readings(frozen, batch), before, 0, 'of the reference')
            const later = await reference.describe()
            require(later.weightsHash === weightsHash, 'the hash of the reference’s weights changes')
            require(later.version === version, `the reference’s version goes from ${version} to ${later.version}`)
            for (const [name, moved] of await readings(opened, batch))
              require(moved.some(
                (value, t) => value !== before.get(name)![t],
              ), `the updates move no ${name} of the policy`)
          } finally {
            await reference.close()
          }
        }),
    }),
    law({
      name: 'language-model/version',
      statement:
        'The version counts updates and is stamped on every report and sample; equal weights have equal hashes.',
      formula: 'version after update = version before + 1;  hash(θ) = hash(θ′) ⇔ θ = θ′',
      source: 'ModelDescription, Generation: stale samples cannot be mistaken for fresh ones',
      cost: 5,
      capability,
      arbitrary: trees(1, 2, 2),
      show,
      holds: (given) =>
        subject.using(async (opened) => {
          const { policy, about } = opened
          const before = await policy.snapshot()
          const report = await policy.update(updateOn(given, opened))
          const later = await policy.describe()
          const expected = about.version + 1
          require(report.version === expected, `the update reports version ${report.version}, not ${expected}`)
          require(later.version === expected, `describe says version ${later.version}, not ${expected}`)
          require(later.weightsHash !== about.weightsHash, 'the hash of the weights is the same after an update')
          if (
            about.outputs.includes('logProbs') &&
            (subject.claims === undefined || subject.claims.generate === true)
          ) {
            const { version } = await policy.generate({
              prompts: [Int32Array.of(0)],
              sampling: { maxNewTokens: 1, temperature: 1, seed: 0 },
            })
            require(version === expected, `samples are stamped with version ${version}, not ${expected}`)
          }
          await policy.update(updateOn(given, opened, { learningRate: 0 }))
          const still = await policy.describe()
          require(still.version === expected + 1, `describe says version ${still.version}, not ${expected + 1}`)
          require(still.weightsHash ===
            later.weightsHash, 'the hash of the weights is another after an update at rate 0')
          await policy.restore({ snapshot: before })
          const back = await policy.describe()
          require(back.version ===
            about.version, `after restoring, describe says version ${back.version}, not ${about.version}`)
          require(back.weightsHash === about.weightsHash, 'the hash of restored weights is another')
        }),
    }),
  ]
}
