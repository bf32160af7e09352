import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { imageFolder, type ImageFolder, type ImageFolderOptions } from '../../../src/training/data/imageFolder.js'
import type { Problem } from '../../../src/shape/problem.js'
import { problemOf, valueOf } from '../../support/either.js'

/** A new folder with these files in it, empty ones: nothing is decoded here. A name that ends in a slash is a folder. */
const tree = (...names: readonly string[]): string => {
  const root = mkdtempSync(join(tmpdir(), 'vitrail-folder-'))
  for (const name of names) {
    mkdirSync(name.endsWith('/') ? join(root, name) : dirname(join(root, name)), { recursive: true })
    if (!name.endsWith('/')) writeFileSync(join(root, name), '')
  }
  return root
}
const open = async (root: string, options?: ImageFolderOptions): Promise<ImageFolder> => valueOf(await imageFolder(root, options)())
const refused = async (root: string, options?: ImageFolderOptions): Promise<Problem> => problemOf(await imageFolder(root, options)())
const namesOf = async (set: ImageFolder): Promise<readonly string[]> => Promise.all(Array.from({ length: set.size }, async (_, i) => valueOf(await set.item(i)()).name))

describe('a folder of images by class', () => {
  it('has a class a folder, and images at any depth, both in order', async () => {
    const set = await open(tree('dogs/b.jpg', 'dogs/a.PNG', 'cats/young/x.webp', 'cats/young/deep/er.gif', 'cats/z.jpeg', 'cats/a.avif', 'cats/a.bmp', 'cats/a.tiff'))
    expect(set.classes).toEqual(['cats', 'dogs'])
    expect(await namesOf(set)).toEqual(['cats/a.avif', 'cats/a.bmp', 'cats/a.tiff', 'cats/young/deep/er.gif', 'cats/young/x.webp', 'cats/z.jpeg', 'dogs/a.PNG', 'dogs/b.jpg'])
    expect(Array.from(set.labels)).toEqual([0, 0, 0, 0, 0, 0, 1, 1])
    expect(valueOf(await set.item(7)())).toMatchObject({ label: 1, image: { file: expect.stringMatching(/dogs\/b\.jpg$/) as string } })
    expect(set.skipped).toEqual([])
  })

  it('passes over hidden files, and counts what it leaves out', async () => {
    const set = await open(tree('a/1.png', 'b/1.png', '.git/x.png', '__MACOSX/y.png', 'a/.hidden.png', 'a/Thumbs.db', 'a/.cache/z.png', 'a/notes.txt', 'readme.md'))
    expect(set.size).toBe(2)
    expect(set.skipped).toEqual([
      { name: 'readme.md', reason: 'lies beside the folders of the classes' },
      { name: 'a/notes.txt', reason: 'not an image, by its name' },
    ])
  })

  it('sorts classes by code point, in their composed form, and leaves the names as they are', async () => {
    // e with an acute accent, composed and not; a letter above the surrogates, and one that needs them.
    const names = ['z', '\u00e9t\u00e9', 'e\u0301cole', '\u{1F431}', '\uFF5E', 'Zebra', '日本', 'été2'.normalize('NFD')]
    const set = await open(tree(...names.map(name => `${name}/1.png`)))
    expect(set.classes).toEqual(['Zebra', 'z', 'e\u0301cole', '\u00e9t\u00e9', 'été2'.normalize('NFD'), '日本', '\uFF5E', '\u{1F431}'])
    expect(await namesOf(set)).toContain('e\u0301cole/1.png')
  })

  it('refuses two classes that only Unicode tells apart', async () => {
    expect(await refused(tree('\u00e9/1.png', 'e\u0301/1.png', 'x/1.png'))).toMatchObject({ code: 'classTwice', remedy: 'put their images into one' })
  })

  it('takes the classes of another set, some of which may be empty', async () => {
    const set = await open(tree('dogs/1.png', 'eels/'), { classes: ['eels', 'dogs', 'cats'] })
    expect([set.classes, Array.from(set.labels)]).toEqual([['eels', 'dogs', 'cats'], [1]])
    expect((await refused(tree('birds/1.png'), { classes: ['dogs', 'cats'] })).sentence).toMatch(/the folder birds is none of the 2 classes given$/)
  })

  it('tells how many images it found, and stops when told to', async () => {
    const root = tree('a/1.png', 'a/2.png', 'a/more/3.png', 'b/1.png')
    const found: number[] = []
    await open(root, { onProgress: files => found.push(files) })
    expect(found).toEqual([2, 3, 4])
    expect((await refused(root, { signal: AbortSignal.abort() })).code).toBe('aborted')
  })
})

describe('links', () => {
  it('are followed, to files and to folders', async () => {
    const root = tree('a/1.png', 'b/1.png')
    const elsewhere = tree('more/2.png', 'c/3.png')
    symlinkSync(join(elsewhere, 'more'), join(root, 'a/more'))
    symlinkSync(join(elsewhere, 'c'), join(root, 'c'))
    symlinkSync(join(elsewhere, 'c/3.png'), join(root, 'b/3.png'))
    linkSync(join(elsewhere, 'c/3.png'), join(root, 'b/hard.png'))
    expect(await namesOf(await open(root))).toEqual(['a/1.png', 'a/more/2.png', 'b/1.png', 'b/3.png', 'b/hard.png', 'c/3.png'])
  })

  it('that lead round in a circle are counted, and end', async () => {
    const root = tree('a/1.png', 'a/in/2.png', 'b/1.png')
    symlinkSync(root, join(root, 'a/in/root'))
    symlinkSync(join(root, 'a'), join(root, 'a/in/up'))
    symlinkSync('..', join(root, 'b/above'))
    symlinkSync('.', join(root, 'self'))
    symlinkSync('/', join(root, 'b/everything'))
    symlinkSync('me.png', join(root, 'b/me.png'))
    symlinkSync('gone.png', join(root, 'b/dangling.png'))
    const set = await open(root)
    expect([set.classes, await namesOf(set)]).toEqual([['a', 'b'], ['a/1.png', 'a/in/2.png', 'b/1.png']])
    expect(set.skipped.map(({ name }) => name)).toEqual(['self', 'a/in/root', 'a/in/up', 'b/above', 'b/dangling.png', 'b/everything', 'b/me.png'])
    expect(set.skipped.at(-1)!.reason).toBe('a link that leads nowhere: a symbolic link that leads back to itself')
  })
})

describe('a bad folder is refused with a way out', () => {
  it.each([
    ['that is not there', () => join(tree(), 'none'), 'folderUnreadable', /cannot be listed: no such file or folder$/],
    ['that is a file', () => join(tree('a.png'), 'a.png'), 'folderUnreadable', /a file, not a folder$/],
    ['that is empty', () => tree(), 'folderEmpty', /the folder is empty$/],
    ['with only hidden files', () => tree('.DS_Store'), 'folderEmpty', /the folder is empty$/],
    ['with images, but no folders', () => tree('a.png', 'b.png'), 'noClassFolders', /holds 2 files, but no folders$/],
    ['with one class', () => tree('a/1.png', 'a/2.png'), 'oneClass', /one class only, a: there is nothing to tell apart$/],
    ['with an empty class', () => tree('a/1.png', 'b/', 'c/notes.txt', 'd/1.png'), 'classEmpty', /no images for b, c$/],
    ['with nothing but empty classes', () => tree('a/', 'b/'), 'classEmpty', /no images for a, b$/],
  ] as const)('%s', async (_, make, code, sentence) => {
    const problem = await refused(make())
    expect([problem.code, problem.sentence]).toEqual([code, expect.stringMatching(sentence)])
    if (code !== 'folderUnreadable') expect(problem.remedy).toMatch(/\w/)
  })

  it('with a class that may not be listed', async () => {
    const root = tree('a/1.png', 'b/1.png')
    chmodSync(join(root, 'b'), 0)
    await asAnyone(async () => expect((await refused(root)).sentence).toMatch(/b: cannot be listed: permission denied$/), root)
    chmodSync(join(root, 'b'), 0o755)
    rmSync(root, { recursive: true })
  })
})

/** Without the administrator's rights, to whom nothing is forbidden. */
const asAnyone = async (run: () => Promise<void>, root: string): Promise<void> => {
  if (process.geteuid?.() !== 0) return run()
  chmodSync(root, 0o755)
  process.seteuid!(65534)
  try {
    await run()
  } finally {
    process.seteuid!(0)
  }
}
