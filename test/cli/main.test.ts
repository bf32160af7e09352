import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { mkdtempSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
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
})
