import { withOption } from './withOption.js'

type Raw = Readonly<Record<string, unknown>>

/** One option of a configuration, by its path, and what it becomes. */
export type Change = readonly [path: string, value: unknown]

/** Two ways to say one thing, of which a configuration has one. */
const ways = [['epochs', 'steps'], ['warmup.epochs', 'warmup.steps']] as const

/**
 * A configuration with some options changed. One that says in another way what the configuration says already takes that
 * one's place; where changes name both, both stay, for `readConfig` to refuse.
 *
 * @param tell is told, in a sentence, of each option whose place was taken
 *
 * @example
 * withChanges({ epochs: 5, batchSize: 64 }, [['steps', 100]]) // { batchSize: 64, epochs: undefined, steps: 100 }
 */
export const withChanges = (config: Raw, changes: readonly Change[], tell: (sentence: string) => void = () => {}): Raw => {
  const named = new Map(changes)
  const dropped = ways.flatMap(([a, b]) => [[a, b], [b, a]] as const).flatMap(([path, by]): readonly Change[] => {
    const value = optionAt(config, path)
    if (value === undefined || named.has(path) || !named.has(by)) return []
    tell(`${by}=${JSON.stringify(named.get(by))} takes the place of ${path}=${JSON.stringify(value)}`)
    return [[path, undefined]]
  })
  return [...dropped, ...changes].reduce((changed, [path, value]) => withOption(changed, path, value), config)
}

const optionAt = (config: unknown, path: string): unknown => path.split('.').reduce<unknown>((inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Raw)[key] : undefined), config)
