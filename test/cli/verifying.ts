import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TensorToStore } from '../../src/weights/encodedLayout.js'
import { encodeSafetensors } from '../../src/weights/encodeSafetensors.js'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { valueOf } from '../support/either.js'
import { captured } from './captured.js'

/** Where changed recordings are written. */
export const folder = mkdtempSync(join(tmpdir(), 'vitrail-verify-'))
export const recordings = 'test/fixtures/recordings'
export const one = join(recordings, 'vit', 'vit_cls_a.safetensors')

/** What `verify --json` says of one recording on one backend. */
export interface Verdict {
  readonly file: string
  readonly system: string
  readonly backend: string
  readonly ok: boolean
  readonly tolerance?: Readonly<Record<string, number>>
  readonly outputs: Readonly<Record<string, { readonly maxAbs: number | null; readonly maxRel: number | null; readonly ok: boolean; readonly problem?: string }>>
  readonly notCompared: readonly string[]
  readonly error?: string
}
export const verdicts = async (...argv: readonly string[]): Promise<{ readonly code: number; readonly list: readonly Verdict[] }> => {
  const { code, out } = await captured('verify', ...argv, '--json')
  return { code, list: JSON.parse(out) as readonly Verdict[] }
}

/** A copy of a recording with its tensors or metadata changed. */
export const changed = async (name: string, change: (tensors: TensorToStore[], metadata: Record<string, string>) => void, from = one): Promise<string> => {
  const source = valueOf(parseSafetensors(readFileSync(from)))
  const tensors: TensorToStore[] = []
  for (const key of source.tensors.keys()) {
    const { shape, data } = valueOf(await source.read(key)())
    tensors.push({ name: key, shape, data } as TensorToStore)
  }
  const metadata = { ...source.metadata }
  change(tensors, metadata)
  const file = join(folder, name)
  writeFileSync(file, valueOf(encodeSafetensors(tensors, metadata)))
  return file
}
/** Replaces one tensor. */
export const put = (tensors: TensorToStore[], key: string, make: (old: TensorToStore) => TensorToStore): void => {
  const at = tensors.findIndex(({ name }) => name === key)
  tensors[at] = make(tensors[at]!)
}
