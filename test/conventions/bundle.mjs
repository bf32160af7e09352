// The last step of `npm run build`: what package.json exports, and its command, as few files in dist/bundle.
//
// Node takes longer to find and read three hundred small modules than to run them (ViT-Ti: 313 of 705 ms to a first result,
// then 61 of 464). All entries are bundled at once, so that each source is in one file that all of them share: symbols and
// caches stay single whichever entries are imported. What tsc writes beside it (dist/src, dist/recipes) gives the
// declarations; its JavaScript is for tests that take modules apart, and is not published.
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))
const out = 'dist/bundle'
const { exports: published, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** `['backends/wasm', 'src/backends/wasm/index.ts']`, and one of these for each that a pattern stands for. */
const entriesOf = ({ types, default: to }) => {
  const [name, source] = [to.replace(`./${out}/`, '').replace(/\.js$/, ''), types.replace('./dist/', '').replace(/\.d\.ts$/, '.ts')]
  if (!source.includes('*')) return [[name, source]]
  const [folder, rest] = source.split('*')
  const words = readdirSync(join(root, folder)).map(word => word.replace(/\.ts$/, ''))
  return words.map(word => [name.replace('*', word), folder + word + rest]).filter(([, at]) => existsSync(join(root, at)))
}

const input = Object.fromEntries([
  ...Object.values(published).filter(entry => typeof entry === 'object').flatMap(entriesOf),
  [bin.vitrail.replace(`${out}/`, '').replace(/\.js$/, ''), 'src/cli/main.ts'],
  // Started by its place beside the chunk that starts it.
  ['shared/imageWorker', 'src/training/data/imageWorker.ts'],
].map(([name, source]) => [name, join(root, source)]))

const made = `${out}.${process.pid}`
await build({
  root,
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  // The ten functions of fp-ts that are used, in the form that bundlers can take them out of: its CommonJS takes 30 ms to load.
  resolve: { alias: [{ find: /^fp-ts\/lib\/(\w+)\.js$/, replacement: 'fp-ts/es6/$1.js' }] },
  ssr: { noExternal: ['fp-ts'] },
  build: {
    ssr: true,
    outDir: made,
    target: 'es2022',
    minify: false,
    sourcemap: true,
    rollupOptions: {
      input,
      // Nothing of Node's is added, for browsers load these files too.
      platform: 'neutral',
      external: id => !/^(\.|fp-ts\/)/.test(id) && !isAbsolute(id),
      // Comments are in the declarations, and in the sources.
      output: {
        minify: false, comments: { legal: true, annotation: true, jsdoc: false }, entryFileNames: '[name].js', chunkFileNames: 'shared/[name].js',
        banner: ({ moduleIds }) => (moduleIds.some(id => id.includes('/fp-ts/')) ? '/*! with functions of fp-ts, by Giulio Canti, MIT licence */' : ''),
      },
    },
  },
})
// npx keeps a link to where a folder's command was when it first ran it there, and does not look again: in dist/src, until
// there was a bundle. npm makes a command executable only where it links it anew.
for (const command of [`${made}/cli.js`, 'dist/src/cli/main.js']) chmodSync(join(root, command), 0o755)
// Whoever runs meanwhile finds the old files or the new, not some of each.
rmSync(join(root, out), { recursive: true, force: true })
renameSync(join(root, made), join(root, out))
