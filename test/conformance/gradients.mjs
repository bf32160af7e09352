import { mkdtemp, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'

/**
 * tfjs-core for Node registers neither gradients nor the methods of tensors that some of them use, as `@tensorflow/tfjs`
 * does; the modules of it that do cannot be loaded there, so they are bundled into one file. What they register is
 * global: it does not matter that the bundle holds a copy of tfjs-core. Gives the file.
 */
export const bundledGradients = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vitrail-gradients-'))
  const core = join(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/package.json'), '..', 'dist')
  const entry = join(folder, 'entry.mjs')
  await writeFile(entry, [`${core}/register_all_gradients.js`, `${core}/public/chained_ops/register_all_chained_ops.js`].map(path => `import ${JSON.stringify(path)}`).join('\n'))
  await build({ configFile: false, logLevel: 'error', build: { outDir: join(folder, 'out'), target: 'esnext', minify: false, lib: { entry, formats: ['es'], fileName: () => 'gradients.mjs' }, rollupOptions: { external: [/^node:/] } } })
  return join(folder, 'out', 'gradients.mjs')
}
