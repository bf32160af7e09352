/** What may change when a training goes on: how long it lasts, and how often it looks at itself. */
const harmless = new Set(['epochs', 'steps', 'patience', 'validateEvery', 'checkpointEvery'])

/**
 * What is not as it was, a line each: `batchSize: 64 before, 32 now`. What only says how long a training lasts and how
 * often it is validated is left out.
 *
 * @example
 * changesSince({ batchSize: 64, epochs: 1 }, { batchSize: 32, epochs: 2 }) // ['batchSize: 64 before, 32 now']
 */
export const changesSince = (before: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>, path = ''): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(now)])].sort().flatMap(key => {
    if (path === '' && harmless.has(key)) return []
    const [old, current] = [before[key], now[key]]
    const place = path === '' ? key : `${path}.${key}`
    if (isRecord(old) && isRecord(current)) return changesSince(old, current, place)
    return JSON.stringify(old) === JSON.stringify(current) ? [] : [`${place}: ${told(old)} before, ${told(current)} now`]
  })

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

const told = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
