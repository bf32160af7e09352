// Writes docs/recipes.md and a picture of each family (`npm run docs`). Recording errors are measured, so the
// freshness test compares all but them; everything else is read off the recipes.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const backends = ['reference', 'cpu', 'wasm']

/** The recipe each family is drawn by, and a word on it. */
const families = {
  vit: ['ViT', 'vit_tiny_patch16_224', 'Patches as tokens, a class token, encoder blocks.'],
  deit: ['DeiT', 'deit_tiny_distilled_patch16_224', 'A ViT with a second token that learns from a teacher; evaluated as the mean of both heads.'],
  swin: ['Swin', 'swin_tiny_patch4_window7_224', 'Attention within windows that shift from block to block, over stages that halve the map.'],
  convit: ['ConViT', 'convit_tiny', 'Attention that begins as a convolution and learns how far to look; the class token joins late.'],
  hybrid: ['Hybrid ViT', 'vit_small_r26_s32_224', 'A ResNet whose feature map a ViT reads.'],
  t2t: ['T2T-ViT', 't2t_vit_14', 'Overlapping windows become tokens in three steps, with attention between them; then a deep and narrow ViT.'],
  mae: ['MAE', 'mae_vit_base_patch16', 'A ViT that sees a quarter of the patches, and a small decoder that says what the others were; and the classifiers made of it.'],
  lvvit: ['LV-ViT', 'lvvit_t', 'A ViT on patches of a small convolutional network; half the largest logits of all tokens are added to those of the class token.'],
  dynamicvit: ['DynamicViT', 'dynamicvit_deit_s_0.7', 'A DeiT or an LV-ViT that scores its tokens on the way and goes on with the best of them.'],
  autoformer: ['AutoFormer', 'autoformer_t_supernet', 'A large network whose parts share its weights, and the parts that were found in it. Each keeps all the weights of the whole here; on their own (`autoformer({ dim: 192, … })`) the three have 5.9, 22.9 and 53.7 million.'],
  coatnet: ['CoAtNet', 'coatnet_0_224', 'Convolutional stages, then stages of attention with relative positions.'],
  clip: ['CLIP', 'clip_vit_b32', 'A ViT and a transformer that reads text, whose features are alike where the text is of the image; multiply-adds are of both.'],
}

const count = n => n.toLocaleString('en-US')
/** The shape a model is fed: an array, integers, or a record of them. */
const takes = spec => ('fields' in spec ? Object.fromEntries(Object.entries(spec.fields).map(([name, field]) => [name, takes(field)])) : spec.dtype === 'int32' ? { integers: spec.shape } : spec.shape)
const valueOf = either => {
  if (either._tag === 'Left') throw new Error(either.left.sentence)
  return either.right
}

/** What does not depend on measuring: a section a family, and its picture. */
export const sections = async () => {
  const { cost, showFields, toSvg, trace } = await import('vitrail')
  const { recipes } = await import('vitrail/recipes')
  const all = Object.entries(recipes)
  const unknown = all.find(([, { family }]) => families[family] === undefined)
  if (unknown !== undefined) throw new Error(`${unknown[0]}: say how its family is drawn, in test/conventions/recipesPage.mjs`)
  return Object.entries(families).map(([family, [title, drawn, about]]) => {
    const members = all.filter(([, recipe]) => recipe.family === family)
    const rows = members.map(([id, { model }]) => {
      const { params, macs } = cost(valueOf(trace(model)))
      const named = existsSync(`${root}recipes/weights/${id}.md`) ? `[\`${id}\`](../recipes/weights/${id}.md)` : `\`${id}\``
      return `| ${named} | ${showFields(takes(model.input))} | ${count(params)} | ${count(macs.total)} |`
    })
    const text = [`## ${title}`, '', `${about} ${members[0][1].source}.`, '', `<img src="pictures/${family}.svg" alt="${drawn}" width="520">`, '', '| id | input | parameters | multiply-adds |', '| --- | --- | ---: | ---: |', ...rows, ''].join('\n')
    return { family, text, svg: valueOf(toSvg(recipes[drawn].model, drawn)) }
  })
}

/** The largest error of any recorded output on each backend, as `vitrail verify` measures it. */
const errors = () => {
  const folder = `${root}test/fixtures/recordings/`
  const files = readdirSync(folder).sort().flatMap(family => readdirSync(folder + family).filter(f => f.endsWith('.safetensors')).sort().map(f => `test/fixtures/recordings/${family}/${f}`))
  const verdicts = JSON.parse(execFileSync(process.execPath, ['dist/bundle/cli.js', 'verify', ...files, '--backend', backends.join(), '--json'], { cwd: root, maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] }))
  return files.map(file => {
    const cells = backends.map(backend => {
      const { outputs, ok } = verdicts.find(v => v.file === file && v.backend === backend)
      const worst = Math.max(...Object.values(outputs).map(o => o.maxAbs ?? Infinity))
      return `${worst.toExponential(0)}${ok ? '' : ' ✗'}`
    })
    return `| ${file.slice('test/fixtures/recordings/'.length).replace('.safetensors', '')} | ${cells.join(' | ')} |`
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = await sections()
  mkdirSync(`${root}docs/pictures`, { recursive: true })
  for (const { family, svg } of made) writeFileSync(`${root}docs/pictures/${family}.svg`, svg)
  const page = [
    '<!-- Generated by `npm run docs`; do not edit. -->',
    '# Recipes',
    '',
    'Every published model of the listing. Parameters and multiply-adds are read off the traced recipe; where the reference publishes them, they are equal to the last digit (`npm test`). Multiply-adds are of one forward pass of one image: linear maps, convolutions and matrix products.',
    '',
    ...made.map(({ text }) => text),
    '## Recordings of the references, replayed',
    '',
    'The largest absolute error of any output or inner output (`npx vitrail verify`), with tolerances of 5e-6 on `reference` and 2e-5 elsewhere, scaled by the largest element where that exceeds 1.',
    '',
    `| recording | ${backends.join(' | ')} |`,
    `| --- | ${backends.map(() => '---:').join(' | ')} |`,
    ...errors(),
    '',
  ].join('\n')
  writeFileSync(`${root}docs/recipes.md`, page)
}
