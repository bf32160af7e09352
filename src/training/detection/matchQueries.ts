import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import { assign } from './assign.js'

/** The objects of one image. */
export interface Objects {
  /** The class of each, from 0. */
  readonly classes: ArrayLike<number>
  /** Four numbers for each: the centre's x and y, width and height, as shares of the image. */
  readonly boxes: ArrayLike<number>
}

/** What queries are to give: what `losses.setLoss` is fed. */
export interface MatchedQueries {
  /** The class of each query's object, or the number of classes where it has none: `[batch · queries]`. */
  readonly classes: Int32Array
  /** `[batch · queries · 4]`; half the image where a query has no object. */
  readonly boxes: Float32Array
}

/** Options of {@link matchQueries}; the defaults are DETR's. */
export interface MatchOptions {
  readonly classWeight?: number
  readonly boxWeight?: number
  readonly iouWeight?: number
  /** How many queries the detector has; where it is said, outputs of another number of images are refused. */
  readonly numQueries?: number
}

/**
 * Gives each object of each image the query that suits it best, all together (Carion et al., 2020, "DETR", section 3.1): the
 * assignment that costs least, a pair costing `−p(class) + 5 · L1 − 2 · generalised IoU`. It runs outside the graph, on what
 * a detector gave; its result is fed back as targets.
 *
 * Errors: `objectsMisfit` (numbers that are not of whole images, queries or objects), `notAClass`, `notABox`,
 * `tooManyObjects`, `notFinite`.
 *
 * @param outputs what a detector gave for a batch: `logits [batch · queries · (numClasses + 1)]`, `boxes [batch · queries · 4]`
 * @param images the objects of each image of the batch, none (`{ classes: [], boxes: [] }`) of one that shows nothing
 *
 * @example
 * matchQueries({ logits: Float32Array.of(0, 9, 9, 0), boxes: Float32Array.of(0.5, 0.5, 1, 1, 0.2, 0.2, 0.1, 0.1) }, [{ classes: [0], boxes: [0.2, 0.2, 0.1, 0.1] }]).right.classes // Int32Array.of(1, 0)
 */
export const matchQueries = (outputs: Readonly<Record<'logits' | 'boxes', Float32Array>>, images: readonly Objects[], options: MatchOptions = {}): Either<Problem, MatchedQueries> => {
  const queries = outputs.boxes.length / 4 / images.length
  const scores = outputs.logits.length / images.length / queries
  const { numQueries = queries } = options
  const fits = Number.isInteger(queries) && Number.isInteger(scores) && scores >= 2 && queries === numQueries
  if (!fits) return left(problem('objectsMisfit', `matchQueries: ${outputs.logits.length} scores and ${outputs.boxes.length} numbers of boxes are not those of ${images.length} images${options.numQueries === undefined ? '' : ` with ${numQueries} queries each`}`, { remedy: 'list every image of the batch, those without objects too: { classes: [], boxes: [] }' }))
  const classes = new Int32Array(images.length * queries).fill(scores - 1)
  const boxes = new Float32Array(images.length * queries * 4).fill(0.5)
  for (const [image, objects] of images.entries()) {
    const wrong = misfit(objects, image, queries, scores - 1)
    if (wrong !== undefined) return left(wrong)
    const cost = costsOf(outputs, objects, image * queries, queries, scores, options)
    const assigned = assign(cost, objects.classes.length, queries)
    if (assigned._tag === 'Left') return left(problem('notFinite', `matchQueries: image ${image} was given scores or boxes that are not finite`, { remedy: 'the training has diverged: lower the learning rate, or clip gradients' }))
    assigned.right.forEach((query, i) => {
      classes[image * queries + query] = objects.classes[i]!
      for (let k = 0; k < 4; k++) boxes[(image * queries + query) * 4 + k] = objects.boxes[4 * i + k]!
    })
  }
  return right({ classes, boxes })
}

const misfit = ({ classes, boxes }: Objects, image: number, queries: number, numClasses: number): Problem | undefined => {
  if (boxes.length !== 4 * classes.length) return problem('objectsMisfit', `matchQueries: image ${image} has ${classes.length} objects, but ${boxes.length} numbers of boxes`, { remedy: 'give four numbers for each object: x and y of the centre, width, height' })
  if (classes.length > queries) return problem('tooManyObjects', `matchQueries: image ${image} has ${classes.length} objects, but the detector has ${queries} queries`, { remedy: 'give it more: numQueries' })
  const odd = Array.from(classes).find(label => !(Number.isInteger(label) && label >= 0 && label < numClasses))
  if (odd !== undefined) return problem('notAClass', `matchQueries: image ${image} has an object of class ${odd}, but classes are 0 to ${numClasses - 1}`, { remedy: 'number the classes of the data from 0, without gaps, or make a detector of more: numClasses' })
  const outside = Array.from(classes).findIndex((_, i) => [0, 1, 2, 3].some(k => !(boxes[4 * i + k]! >= 0 && boxes[4 * i + k]! <= 1)))
  return outside < 0 ? undefined : problem('notABox', `matchQueries: image ${image} has a box (${[0, 1, 2, 3].map(k => boxes[4 * outside + k]).join(', ')}) that is not in shares of the image, from 0 to 1`, { remedy: 'give the x and y of its centre, its width and its height, divided by the width and height of the image' })
}

/** What each object costs with each query, object by object. */
const costsOf = ({ logits, boxes }: Readonly<Record<'logits' | 'boxes', Float32Array>>, objects: Objects, first: number, queries: number, scores: number, { classWeight = 1, boxWeight = 5, iouWeight = 2 }: MatchOptions): Float64Array => {
  const cost = new Float64Array(objects.classes.length * queries)
  for (let query = 0; query < queries; query++) {
    const p = softmax(logits.subarray((first + query) * scores, (first + query + 1) * scores))
    const box = Array.from(boxes.subarray((first + query) * 4, (first + query + 1) * 4))
    for (let i = 0; i < objects.classes.length; i++) {
      const target = [0, 1, 2, 3].map(k => objects.boxes[4 * i + k]!)
      const distance = box.reduce((sum, value, k) => sum + Math.abs(value - target[k]!), 0)
      cost[i * queries + query] = boxWeight * distance - classWeight * p[objects.classes[i]!]! - iouWeight * overlap(box, target)
    }
  }
  return cost
}

const softmax = (scores: Float32Array): readonly number[] => {
  const highest = scores.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = Array.from(scores, score => Math.exp(score - highest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}

/** Generalised intersection over union, as `losses.generalisedIou` has it in ops. */
const overlap = (a: readonly number[], b: readonly number[]): number => {
  const along = (axis: 0 | 1): { readonly shared: number; readonly hull: number } => {
    const [lowA, highA, lowB, highB] = [a, b].flatMap(box => [box[axis]! - box[axis + 2]! / 2, box[axis]! + box[axis + 2]! / 2]) as [number, number, number, number]
    return { shared: Math.max(0, Math.min(highA, highB) - Math.max(lowA, lowB)), hull: Math.max(highA, highB) - Math.min(lowA, lowB) }
  }
  const [x, y] = [along(0), along(1)]
  const shared = x.shared * y.shared
  const union = a[2]! * a[3]! + b[2]! * b[3]! - shared
  const hull = x.hull * y.hull
  return shared / Math.max(union, 1e-9) - (hull - union) / Math.max(hull, 1e-9)
}
