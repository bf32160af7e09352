import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { commandLine } from '../../src/cli/parts/commandLine.js'

const platform = Object.getOwnPropertyDescriptor(process, 'platform')!
afterEach(() => Object.defineProperty(process, 'platform', platform))

const awkward = ['plain.json', 'my run.json', "it's", 'a"b', `both ' and "`, '$HOME', '`id`', 'a\\b c', 'ends in a blank\\', 'two blanks\\\\', '!x', '~/x', '*', '#a', 'a;b', '50%', '', '{"name":"sgd"}', 'objective.config={"a":"b c"}', 'quoted\\"', 'line\nfeed']

/** What Windows' programs make of a command line (the rules of `CommandLineToArgvW`), the name of the program left out. */
const readOnWindows = (line: string): readonly string[] => {
  const [found, state]: [string[], { text: string | undefined; isQuoted: boolean }] = [[], { text: undefined, isQuoted: false }]
  for (const [, slashes, sign] of line.matchAll(/(\\*)([^\\]|$)/g)) {
    const isQuote = sign === '"'
    if (slashes !== '' || isQuote) state.text = `${state.text ?? ''}${isQuote ? '\\'.repeat(Math.floor(slashes!.length / 2)) : slashes!}`
    if (isQuote && slashes!.length % 2 === 1) state.text += '"'
    else if (isQuote) state.isQuoted = !state.isQuoted
    else if (sign === '' || (sign === ' ' && !state.isQuoted)) {
      if (state.text !== undefined) found.push(state.text)
      state.text = undefined
    } else state.text = `${state.text ?? ''}${sign!}`
  }
  return found.slice(1)
}

describe('a command line to type again', () => {
  it.runIf(process.platform !== 'win32')('says to a shell what was said', () => {
    const line = commandLine(['train', ...awkward], { set: awkward, resume: true, out: undefined })
    const read = execFileSync('/bin/sh', ['-c', line.replace('vitrail', `printf '%s\\0'`)], { encoding: 'utf8' }).split('\0').slice(0, -1)
    expect(read).toEqual(['train', ...awkward, '--set', ...awkward, '--resume'])
  })

  it('says on Windows what was said: quotes in a value, and folders that end in a backslash', () => {
    Object.defineProperty(process, 'platform', { value: 'win32', configurable: true })
    const line = commandLine(['train', 'C:\\runs\\a.json'], { out: 'C:\\my runs\\', set: ['optimiser={"name":"sgd"}'] })
    expect(line).toBe('vitrail train C:\\runs\\a.json --out "C:\\my runs\\\\" --set "optimiser={\\"name\\":\\"sgd\\"}"')
    expect(readOnWindows(commandLine(['train', ...awkward], { set: awkward }))).toEqual(['train', ...awkward, '--set', ...awkward])
  })
})
