import { problem, type Problem } from '../../shape/problem.js'
import { type Shape, show } from '../../shape/shape.js'
import type { Window } from './layer.js'

/** Whether the tokens that arrive are those of the window they are in, as its mask and relative positions need. */
export const windowTokens = (shape: Shape, { size: [height, width] }: Window): Problem | undefined =>
  shape[0] === height * width
    ? undefined
    : problem('notTheWindow', `attention: ${shape[0]} tokens arrive in a window of ${height}×${width} (${show(shape)})`, { expected: `${height * width} tokens`, actual: String(shape[0]), remedy: 'keep the tokens of a window until attention has seen them' })
