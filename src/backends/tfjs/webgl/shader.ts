import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf, type Shape } from '../../../shape/shape.js'

/**
 * A program as tfjs's webgl backend takes one. Its textures are packed: a texel holds two rows of two neighbours,
 * `(r, c), (r, c+1), (r+1, c), (r+1, c+1)`, as those of tfjs's own products do, so that nothing is unpacked between.
 */
export interface Shader {
  readonly variableNames: readonly string[]
  readonly outputShape: readonly number[]
  readonly userCode: string
  readonly packedInputs: true
  readonly packedOutput: true
}

/** The part of tfjs's webgl backend that is used here. */
export interface WebglBackend extends KernelBackend {
  runWebGLProgram(program: Shader, inputs: readonly TensorInfo[], dtype: 'float32'): TensorInfo
}

/** Whether programs in GLSL can be given to a backend. */
export const runsGlsl = (backend: object): backend is WebglBackend => typeof (backend as Partial<WebglBackend>).runWebGLProgram === 'function'

const components = ['x', 'y', 'z', 'w', 'u', 'v'] as const

/**
 * A program whose `body` leaves its four numbers in `vec4 result`; `rc` are the coordinates of the first of them. What of the
 * four lies outside of the tensor becomes 0: products over an odd number of columns would add it otherwise.
 *
 * @param shape two axes or more
 */
export const shader = (variableNames: readonly string[], shape: Shape, body: string, functions = ''): Shader => {
  const rank = shape.length
  const [rows, columns] = shape.slice(-2) as [number, number]
  const inside = { row: rows % 2 === 0 ? 'true' : `rc.${components[rank - 2]} + 1 < ${rows}`, column: columns % 2 === 0 ? 'true' : `rc.${components[rank - 1]} + 1 < ${columns}` }
  const userCode = `
    ${functions}
    void main() {
      ivec${rank} rc = getOutputCoords();
      ${body}
      bool row = ${inside.row}, column = ${inside.column};
      setOutput(vec4(result.x, column ? result.y : 0., row ? result.z : 0., row && column ? result.w : 0.));
    }`
  return { variableNames, outputShape: [...shape], userCode, packedInputs: true, packedOutput: true }
}

/** Leading axes made one, which costs nothing: `[..., rows, columns] → [outer, rows, columns]`. */
export const asPlanes = (x: TensorInfo): TensorInfo & { readonly shape: [number, number, number] } => {
  const [rows, columns] = x.shape.slice(-2) as [number, number]
  return { ...x, shape: [sizeOf(x.shape.slice(0, -2)), rows, columns] }
}

/** A number as GLSL writes it. */
export const float = (value: number): string => (Number.isInteger(value) ? `${value}.` : String(value))
