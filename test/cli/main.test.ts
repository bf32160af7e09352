import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { bar } from '../../src/cli/parts/bar.js'
import { terminal } from '../../src/cli/parts/terminal.js'
import { captured } from './captured.js'

const main = resolve('dist/bundle/cli.js')
const vitrail = (...argv: readonly string[]): SpawnSyncReturns<string> => spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '1', CI: '1' } })
const names = ['demo', 'list', 'summary', 'check', 'init', 'run', 'verify', 'bench', 'backends']

describe('the command line', () => {
  it('prints JSON and nothing else on standard output', () => {
    for (const argv of [['summary', 'vit_fashion_mnist'], ['list'], ['backends'], ['run', 'vit_fashion_mnist', '--image', 'recipes/images/bag-18.png'], ['verify', 'test/fixtures/recordings/vit/vit_eps_c.safetensors', '--backend', 'cpu,wasm']]) {
      const { status, stdout, stderr } = vitrail(...argv, '--json')
      expect([argv[0], status, stderr]).toEqual([argv[0], 0, ''])
      expect(() => JSON.parse(stdout) as unknown).not.toThrow()
    }
  })

  it('prints no colours into a pipe', () => {
    for (const argv of [['list'], ['demo']]) expect(vitrail(...argv).stdout).not.toContain('\u001b')
  })

  it('ends with 1 where a check fails, with 2 for bad use, and never with a stack trace', () => {
    expect(vitrail('verify', 'test/fixtures/recordings/vit/vit_eps_c.safetensors', '--tolerance', '1e-12').status).toBe(1)
    for (const argv of [[], ['sumary'], ['summary'], ['summary', 'nowhere'], ['list', '--yaml'], ['summary', 'vit_tiny_patch16_224', 'too-much'], ['run', 'vit_fashion_mnist', '--image', 'package.json']]) {
      const { status, stdout, stderr } = vitrail(...argv)
      expect([argv, status, stdout]).toEqual([argv, 2, ''])
      expect(stderr).not.toMatch(/\n +at .*:\d+/)
      if (argv.length > 0) expect(stderr).toMatch(/^vitrail: /)
    }
  })

  it('suggests what was meant', () => {
    expect(vitrail('sumary').stderr).toBe("vitrail: unknown command 'sumary'; did you mean summary?\n")
    expect(vitrail('list', '--jsn').stderr).toBe("vitrail: unknown option '--jsn'; did you mean --json?\n")
  })

  it('explains itself and each command, with examples', async () => {
    const { code, out } = await captured('--help')
    expect(code).toBe(0)
    for (const name of names) {
      expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
      const help = await captured(name, '--help')
      expect([name, help.code]).toEqual([name, 0])
      expect(help.out).toMatch(new RegExp(`Examples:\n  vitrail ${name}`))
    }
    expect((await captured('--version')).out).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it('runs through a link, as npm installs it', () => {
    const link = join(mkdtempSync(join(tmpdir(), 'vitrail-link-')), 'vitrail')
    symlinkSync(main, link)
    expect(spawnSync(process.execPath, [link, '--version'], { encoding: 'utf8' }).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('keeps quiet when nobody reads on', async () => {
    const child = spawn(process.execPath, [main, 'summary', 'vit_large_patch16_224', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let err = ''
    child.stderr.on('data', chunk => (err += String(chunk)))
    const status = await new Promise(done => child.on('close', done))
    expect([status, err]).toEqual([0, ''])
  })

  it.runIf(existsSync('/dev/full'))('fails, and says so, where its output does not fit on the disk', () => {
    const { status, stderr } = spawnSync(process.execPath, [main, 'list'], { encoding: 'utf8', stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] })
    expect([status, stderr]).toEqual([2, 'vitrail: standard output cannot be written to: no space left on device\n'])
  })
})

describe('the terminal', () => {
  const seen = [process.stdout, process.stderr].map(stream => [stream, Object.getOwnPropertyDescriptor(stream, 'isTTY')] as const)
  afterEach(() => {
    vi.unstubAllEnvs()
    for (const [stream, isTTY] of seen) Object.defineProperty(stream, 'isTTY', isTTY ?? { value: undefined, configurable: true, writable: true })
  })

  it.each([
    ['xterm', '', [true, true]],
    ['xterm', '1', [false, true]],
    ['dumb', '', [false, false]],
  ] as const)('that is called %s has colours and bars, or not (NO_COLOR=%s)', (term, none, [colours, bars]) => {
    vi.stubEnv('TERM', term)
    vi.stubEnv('NO_COLOR', none)
    for (const [stream] of seen) Object.defineProperty(stream, 'isTTY', { value: true, configurable: true, writable: true })
    const made = terminal()
    expect([made.colours.bold('x') !== 'x', made.isWatched]).toEqual([colours, bars])
  })

  it('is left as it was while a bar is drawn, which is cut off at its edge', async () => {
    Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true, writable: true })
    const columns = Object.getOwnPropertyDescriptor(process.stderr, 'columns')
    Object.defineProperty(process.stderr, 'columns', { value: 40, configurable: true, writable: true })
    const steer = process.stderr as unknown as Record<'cursorTo' | 'clearLine', (...args: readonly unknown[]) => boolean>
    const said: string[] = []
    const spies = [vi.spyOn(process.stderr, 'write').mockImplementation(text => said.push(String(text)) > 0), ...(['cursorTo', 'clearLine'] as const).filter(name => name in steer).map(name => vi.spyOn(steer, name).mockReturnValue(true))]
    const drawn = await bar('{bar} {value}/{total}  {what}')
    drawn.start(9, 3, { what: 'loss 1.2345  100 images/s  2 min 3 s left' })
    drawn.stop()
    for (const spy of spies) spy.mockRestore()
    Object.defineProperty(process.stderr, 'columns', columns ?? { value: undefined, configurable: true, writable: true })
    expect(said.filter(text => text.includes('3/9'))[0]).toHaveLength(40)
    expect(said.join('')).not.toContain('\u001b[?')
  })
})
