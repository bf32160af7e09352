import type { Scored } from './candidate.js'
import { paretoFront } from './paretoFront.js'
import type { Price } from './priceOf.js'

/** Options of {@link paretoPicture}. */
export interface PictureOptions {
  readonly title?: string
  /** What scores are weighed against (default `macs`). */
  readonly axis?: keyof Price
  /** What scores are (default `accuracy`, in per cent). */
  readonly scores?: string
  /** A model made by hand, to see it among the others. */
  readonly hand?: Price & { readonly score: number }
}

const size = { width: 640, height: 420, left: 74, right: 24, top: 58, bottom: 56 }
/** Cathedral glass, as in the pictures of models; early generations are pale. */
const glass = { plain: '#1f6f8b', front: '#5b3a8c', best: '#c8553d', hand: '#e0a030', ink: '#22201d', dim: '#6b645c', ground: '#f6f2ea' }

/**
 * What a search has scored, each by its cost and its score, and the front of those than which nothing is cheaper and as
 * good: a picture (SVG). Later generations are darker.
 *
 * @example
 * paretoPicture([]).startsWith('<svg') // true
 */
export const paretoPicture = <P>(scored: readonly Scored<P>[], { title = '', axis = 'macs', scores = 'accuracy', hand }: PictureOptions = {}): string => {
  const all = [...scored, ...(hand === undefined ? [] : [hand])]
  const x = scaleOf(all.map(point => point[axis]), size.left, size.width - size.right)
  const y = scaleOf(all.map(({ score }) => score), size.height - size.bottom, size.top)
  const front = paretoFront(scored, axis)
  const best = front.at(-1)
  const last = Math.max(1, ...scored.map(({ generation }) => generation))
  const dot = ({ score, generation, ...price }: Scored<P>): string => `<circle cx="${fixed(x.at(price[axis]))}" cy="${fixed(y.at(score))}" r="4" fill="${glass.plain}" opacity="${(0.25 + (0.5 * generation) / last).toFixed(2)}"/>`
  const steps = front.map((point, i) => (i === 0 ? `M${fixed(x.at(point[axis]))} ${fixed(y.at(point.score))}` : `H${fixed(x.at(point[axis]))}V${fixed(y.at(point.score))}`)).join('')
  const marked = front.map(point => `<circle cx="${fixed(x.at(point[axis]))}" cy="${fixed(y.at(point.score))}" r="5" fill="${point === best ? glass.best : glass.front}" stroke="${glass.ink}" stroke-width="1.5"/>`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}" font-family="ui-sans-serif, system-ui, sans-serif">`,
    `<rect width="${size.width}" height="${size.height}" fill="${glass.ground}"/>`,
    title === '' ? '' : text(size.width / 2, 26, title, 'middle', `font-size="17" font-weight="700" fill="${glass.ink}"`),
    ...x.ticks.map(tick => `<path d="M${fixed(x.at(tick))} ${size.top}V${size.height - size.bottom}" stroke="${glass.ink}" stroke-opacity="0.08"/>${text(x.at(tick), size.height - size.bottom + 18, short(tick), 'middle')}`),
    ...y.ticks.map(tick => `<path d="M${size.left} ${fixed(y.at(tick))}H${size.width - size.right}" stroke="${glass.ink}" stroke-opacity="0.08"/>${text(size.left - 10, y.at(tick) + 4, scores === 'accuracy' ? `${Number((100 * tick).toPrecision(4))} %` : `${Number(tick.toPrecision(4))}`, 'end')}`),
    `<path d="M${size.left} ${size.top}V${size.height - size.bottom}H${size.width - size.right}" fill="none" stroke="${glass.ink}" stroke-width="3"/>`,
    text(size.width - size.right, size.height - 14, axis === 'macs' ? 'multiply-adds of one sample' : 'parameters', 'end', `font-size="13" fill="${glass.ink}"`),
    text(size.left, size.top - 14, scores, 'middle', `font-size="13" fill="${glass.ink}"`),
    ...scored.map(dot),
    steps === '' ? '' : `<path d="${steps}" fill="none" stroke="${glass.front}" stroke-width="2.5"/>`,
    ...marked,
    hand === undefined ? '' : handMade(x.at(hand[axis]), y.at(hand.score)),
    '</svg>\n',
  ].filter(line => line !== '').join('\n')
}

/** A square pane, and what it is, beside the picture, where no candidate can be. */
const handMade = (x: number, y: number): string => {
  const pane = (left: number, top: number): string => `<rect x="${fixed(left - 5)}" y="${fixed(top - 5)}" width="10" height="10" fill="${glass.hand}" stroke="${glass.ink}" stroke-width="1.5"/>`
  const [right, top] = [size.width - size.right, size.top - 18]
  return `${pane(x, y)}${pane(right - 102, top)}${text(right, top + 4, 'made by hand', 'end')}`
}

/** Values along a line of the picture, and round ones among them. */
const scaleOf = (values: readonly number[], from: number, to: number): { readonly at: (value: number) => number; readonly ticks: readonly number[] } => {
  const [least, most] = values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)]
  const room = 0.06 * (most - least) || Math.abs(most) * 0.05 || 1
  const [low, high] = [least - room, most + room]
  const power = 10 ** Math.floor(Math.log10((high - low) / 5))
  const step = power * ([1, 2, 5, 10].find(times => (high - low) / (power * times) <= 6) ?? 10)
  const first = Math.ceil(low / step)
  return { at: value => from + ((value - low) / (high - low)) * (to - from), ticks: Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step) }
}

/** `3.2M` for 3,200,000. */
const short = (value: number): string => {
  const [unit, by] = ([['G', 1e9], ['M', 1e6], ['k', 1e3]] as const).find(([, size]) => Math.abs(value) >= size) ?? ['', 1]
  return `${Number((value / by).toPrecision(4))}${unit}`
}

const fixed = (value: number): string => value.toFixed(1)
const text = (x: number, y: number, content: string, anchor: string, more = `font-size="12" fill="${glass.dim}"`): string => `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}" ${more}>${content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')}</text>`
