import { InvalidArgumentError, Option } from 'commander'

const wholeNumber = (least: number) => (text: string): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) throw new InvalidArgumentError(`It must be a whole number from ${least} on.`)
  return value
}

const positiveNumber = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

const names = (text: string): readonly string[] => {
  const list = text.split(',').map(name => name.trim()).filter(name => name !== '')
  if (list.length === 0) throw new InvalidArgumentError('It must be a name, or several with commas between.')
  return list
}

const imageSize = (text: string): readonly [number, number] => {
  const match = /^(\d+)(?:[x×](\d+))?$/.exec(text)
  if (match === null) throw new InvalidArgumentError('It must be a size such as 384, or height and width such as 384x224.')
  const [height, width] = [Number(match[1]), Number(match[2] ?? match[1])]
  if (height < 1 || width < 1) throw new InvalidArgumentError('Its sides must be at least 1 pixel.')
  return [height, width]
}

/** The options that several commands share, and the ways to read a value. */
export const options = {
  json: () => new Option('--json', 'print JSON and nothing else'),
  backend: () => new Option('--backend <name>', 'the backend to run on').default('wasm'),
  backends: () => new Option('--backend <names>', 'the backends to run on, with commas between').argParser(names).default(['wasm'], 'wasm'),
  wholeNumber: (flags: string, about: string, least = 1) => new Option(flags, about).argParser(wholeNumber(least)),
  positiveNumber: (flags: string, about: string) => new Option(flags, about).argParser(positiveNumber),
  names: (flags: string, about: string) => new Option(flags, about).argParser(names),
  imageSize: () => new Option('--image <size>', 'another image size: 384, or height and width: 384x224').argParser(imageSize),
  text: (flags: string, about: string) => new Option(flags, about),
} as const
