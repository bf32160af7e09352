/** A configuration, as JSON holds it. */
type Raw = Readonly<Record<string, unknown>>

/**
 * A configuration with one option changed: `withOption(config, 'data.path', 'images')`. What is on the way and not there
 * is made.
 *
 * @example
 * withOption({ data: { kind: 'folder' } }, 'data.path', 'images') // { data: { kind: 'folder', path: 'images' } }
 */
export const withOption = (config: Raw, path: string, value: unknown): Raw => {
  const [key = '', ...rest] = path.split('.')
  if (rest.length === 0) return { ...config, [key]: value }
  const inner = config[key]
  // A model that is only an id becomes one with options.
  const record = typeof inner === 'string' && key === 'model' ? { recipe: inner } : typeof inner === 'object' && inner !== null ? (inner as Raw) : {}
  return { ...config, [key]: withOption(record, rest.join('.'), value) }
}
