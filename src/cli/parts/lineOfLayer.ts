import type { AnyModel } from '../../layers/core/model.js'
import { allLayers } from '../../testing/laws/core/allLayers.js'
import { placesOf, type Place } from '../../testing/shrink/placesOf.js'

/**
 * The line, from 1, on which a user's file calls the constructor of a layer, or of the nearest one around it that the
 * file calls. Calls are counted in the order of the text, layers in the order of the recipe; where they do not match,
 * the last call stands for the rest. Nothing if the file calls none of them.
 *
 * @param name the export that holds the model, whose declaration is searched first
 */
export const lineOfLayer = (text: string, model: AnyModel, path: string, kind: string, name: string): number | undefined => {
  const code = blanked(text)
  const start = Math.max(0, code.search(name === 'default' ? /\bexport\s+default\b/ : new RegExp(`\\b(?:const|let|var|function)\\s+${name}\\b`)))
  const next = /\bexport\s/.exec(code.slice(start + 1))
  const own: readonly [number, number] = [start, next === null ? code.length : start + 1 + next.index]
  for (const { layer } of [...chain(placesOf(model), path, kind)].reverse()) {
    const { kind: called } = layer.definition
    const calls = [...code.matchAll(new RegExp(`(?<![\\w.])${called}\\s*(?:<[^()]*>)?\\(`, 'g'))].map(found => found.index)
    const inside = calls.filter(at => at >= own[0] && at < own[1])
    const candidates = inside.length > 0 ? inside : calls
    if (candidates.length === 0) continue
    const same = [...new Set(allLayers(model).filter(other => other.definition.kind === called))]
    const at = candidates[Math.max(0, Math.min(same.indexOf(layer), candidates.length - 1))]!
    return text.slice(0, at).split('\n').length
  }
  return start > 0 ? text.slice(0, start).split('\n').length : undefined
}

/** From the outermost layer to the one of that path and kind. */
const chain = (places: readonly Place[], path: string, kind: string): readonly Place[] => {
  for (const place of places) {
    const inner = chain(place.children, path, kind)
    if (inner.length > 0) return [place, ...inner]
    if (place.path === path && place.layer.definition.kind === kind) return [place]
  }
  return []
}

/** The text with comments and strings blanked, every character in its place. */
const blanked = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, found => found.replace(/[^\n]/g, ' '))
