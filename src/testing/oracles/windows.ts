import type { WindowClamp } from '../../layers/core/fitWindow.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import type { WindowsConfig } from '../../layers/windows.js'
import { at, numbers, partsOf, shaped, type Numbers } from './numbers.js'
import type { Place, Run } from './oracle.js'

type Two = readonly [number, number]
const two = (size: number | Two): Two => (typeof size === 'number' ? [size, size] : size)

/**
 * Swin's windows (Liu et al., 2021, sections 3.1 and 3.2), one after the other: the map is rolled up and left, filled
 * up with zeros, cut, and put together again. In a shifted window, two tokens see each other if both come from the
 * same side of where the map was joined (figure 4). Dilated windows are MaxViT's grid (Tu et al., 2022, section 3.2): the
 * places of one are as many apart as there are windows along the axis.
 */
export const windows = (place: Place, { windowSize, shift = 0, clamp = 'each', dilated = false }: WindowsConfig<number | Two, boolean, WindowClamp>, block: AnyLayer): Run => {
  const run = place.bind(block)
  return signal => {
    const x = signal as Numbers
    const [height, width, channels] = x.shape as readonly [number, number, number]
    const [size, by] = fitted([height, width], two(windowSize), two(shift), clamp)
    const whole: Two = [Math.ceil(height / size[0]) * size[0], Math.ceil(width / size[1]) * size[1]]
    const made = new Map<string, readonly Numbers[]>()
    // Which window a position along an axis is in, and where in that; and the way back.
    const apart = (axis: 0 | 1): number => whole[axis] / size[axis]
    const inWindow = (position: number, axis: 0 | 1): Two => (dilated ? [position % apart(axis), Math.floor(position / apart(axis))] : [Math.floor(position / size[axis]), position % size[axis]])
    const onMap = (window: number, i: number, axis: 0 | 1): number => (dilated ? i * apart(axis) + window : window * size[axis] + i)
    for (let row = 0; row < apart(0); row++)
      for (let column = 0; column < apart(1); column++) {
        // Token t of this window stands here on the rolled map.
        const standing = (t: number): Two => [onMap(row, Math.floor(t / size[1]), 0), onMap(column, t % size[1], 1)]
        const cut = numbers([size[0], size[1], channels], (i, j, c) => {
          const [y, z] = [onMap(row, i, 0), onMap(column, j, 1)]
          return y < height && z < width ? at(x, modulo(y + by[0], height), modulo(z + by[1], width), c) : 0
        })
        const side = (t: number): string => standing(t).map((position, axis) => Number(by[axis] !== 0 && position >= whole[axis]! - by[axis]!)).join()
        const sees = (query: number, key: number): boolean => side(query) === side(key)
        made.set(`${row},${column}`, partsOf(run(shaped(cut, size[0] * size[1], channels), { size, sees }) as Numbers))
      }
    const after = (y: number, z: number): Numbers => {
      const [[row, i], [column, j]] = [inWindow(y, 0), inWindow(z, 1)]
      return made.get(`${row},${column}`)![i * size[1] + j]!
    }
    const dim = after(0, 0).shape[0]!
    return numbers([height, width, dim], (y, z, c) => after(modulo(y - by[0], height), modulo(z - by[1], width)).data[c]!)
  }
}

const modulo = (a: number, n: number): number => ((a % n) + n) % n

/** A window no larger than its map, by timm's rule, by Microsoft's, or as it is; what covers an axis does not shift. */
const fitted = (map: Two, size: Two, shift: Two, clamp: WindowClamp): readonly [Two, Two] => {
  const covers = map.map((n, axis) => n <= size[axis]!) as [boolean, boolean]
  if (clamp === 'never' || !covers.includes(true)) return [size, shift]
  // Only a window that is larger than the map gives way to it; one as large stays, and cannot shift.
  if (clamp === 'both') return [map[0] < size[0] || map[1] < size[1] ? [Math.min(...map), Math.min(...map)] : size, [0, 0]]
  return [covers.map((c, axis) => (c ? map : size)[axis]!) as unknown as Two, covers.map((c, axis) => (c ? 0 : shift[axis]!)) as unknown as Two]
}
